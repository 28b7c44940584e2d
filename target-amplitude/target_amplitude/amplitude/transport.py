"""One request to Amplitude."""

from __future__ import annotations

import time
from gzip import compress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3

from target_amplitude import LIBRARY
from target_amplitude.amplitude.answers import Answer, Unanswered
from target_amplitude.settings import REQUEST_BYTES, is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_amplitude.settings import Settings

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_ANSWER_SECONDS = 120
_ANSWER_BYTES = 4_000_000
_GZIP_LEVEL = 1
_LONGEST_RETRY_AFTER = 3600.0


class Transport:
    """Posts events; each thread has its own, since a session is not shared safely."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the parts of the body that are always the same."""
        self._url = settings.url
        self._gzip = settings.gzip
        self._key = settings.api_key
        self._head = b'{"api_key":%b,"events":[' % msgspec.json.encode(settings.api_key)
        options = b"}"
        if settings.min_id_length is not None:
            options = b',"options":{"min_id_length":%d}}' % settings.min_id_length
        self._tail = b"]" + options
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(settings.url)
        self._session.headers.update(
            {"Content-Type": "application/json", "Accept": "*/*", "User-Agent": LIBRARY},
        )

    @staticmethod
    def room(settings: Settings) -> int:
        """Bytes a request has for events, each with its comma."""
        around = len(settings.api_key.encode()) * 6 + 100
        return REQUEST_BYTES[settings.endpoint] - around

    def post(self, events: Sequence[bytes]) -> tuple[Answer | Unanswered, int]:
        """Answer to a request with these encoded events, and the bytes of its body."""
        # Joined at once: a copy of a megabyte costs more in memory that is new than in copying.
        parts = list(events)
        parts[0] = self._head + parts[0]
        parts[-1] += self._tail
        body = b",".join(parts)
        size = len(body)
        headers = {}
        if self._gzip:
            body = compress(body, _GZIP_LEVEL)
            headers["Content-Encoding"] = "gzip"
        try:
            with self._session.post(
                self._url,
                data=body,
                headers=headers,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _read_body(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as failure:
            distrusted = isinstance(failure, requests.exceptions.SSLError)
            return Unanswered(_describe(failure), is_final=distrusted), size
        if content is None:
            return Unanswered("an answer that does not end"), size
        answer = Answer(
            response.status_code,
            content.replace(self._key.encode(), b"<api_key>"),
            _retry_after(response.headers.get("Retry-After")),
        )
        return answer, size

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def host_of(url: str) -> str:
    """Host of a URL, for messages."""
    return urlsplit(url).hostname or "the server"


def _read_body(response: requests.Response) -> bytes | None:
    until = time.monotonic() + _ANSWER_SECONDS
    content = b""
    for piece in response.iter_content(1024):
        content += piece
        if len(content) > _ANSWER_BYTES or time.monotonic() > until:
            return None
    return content


def _describe(failure: Exception) -> str:
    if isinstance(failure, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return "no answer in time"
    if isinstance(failure, requests.exceptions.SSLError):
        return "a TLS certificate that cannot be trusted"
    if isinstance(failure, requests.ConnectionError):
        return "no connection"
    return "a cut connection"


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header; its date form is left to the usual pauses."""
    if value is None or not value.strip().isdecimal():
        return None
    return min(float(value), _LONGEST_RETRY_AFTER)
