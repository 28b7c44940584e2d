"""Send events to Amplitude's upload endpoint, one request at a time."""

from __future__ import annotations

from gzip import compress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from target_amplitude.amplitude.answers import Answer, NoAnswer
from target_amplitude.amplitude.http import (
    CONNECT_SECONDS,
    LONGEST_WAIT,
    new_session,
    read_body,
    why_unanswered,
)
from target_amplitude.common.http import retry_after
from target_amplitude.common.network import FAILURES
from target_amplitude.settings import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_amplitude.settings import Settings

_READ_SECONDS = 60
_MAX_ANSWER_SECONDS = 120
_MAX_ANSWER_BYTES = 4_000_000
_GZIP_LEVEL = 1


class Transport:
    """Posts events; each thread has its own, since a session must not be shared."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the parts that all requests share."""
        self._url = settings.url
        self._gzip = settings.compresses
        self._key = settings.api_key
        self._head = b'{"api_key":%b,"events":[' % msgspec.json.encode(settings.api_key)
        options = b"}"
        if settings.min_id_length is not None:
            options = b',"options":{"min_id_length":%d}}' % settings.min_id_length
        self._tail = b"]" + options
        self._session = new_session(settings.url)
        self._session.headers["Content-Type"] = "application/json"

    @staticmethod
    def max_event_bytes(settings: Settings) -> int:
        """Return how many bytes the events of a request may have, each with its comma."""
        envelope = len(settings.api_key.encode()) * 6 + 100
        return REQUEST_BYTES[settings.endpoint] - envelope

    def post(self, events: Sequence[bytes]) -> tuple[Answer | NoAnswer, int]:
        """Send encoded events, or none; returns the answer and the size of the body in bytes.

        Raises:
            RunFailedError: If proxy or certificates of this machine let no request through.
        """
        # Joined in one step: each copy of a megabyte would touch as much new memory.
        parts = list(events) or [b""]
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
                timeout=(CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = read_body(response, _MAX_ANSWER_BYTES, _MAX_ANSWER_SECONDS)
        except FAILURES as failure:
            return NoAnswer(why_unanswered(failure, self._url)), size
        if content is None:
            return NoAnswer("an answer that does not end"), size
        answer = Answer(
            response.status_code,
            content.replace(self._key.encode(), b"<api_key>"),
            retry_after(response.headers, LONGEST_WAIT),
            response.headers.get("Date", ""),
        )
        return answer, size

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def host_of(url: str) -> str:
    """Return the host of a URL, for messages."""
    return urlsplit(url).hostname or "the server"
