"""Send events to Amplitude's upload endpoint, one request at a time."""

from __future__ import annotations

from gzip import compress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from target_amplitude import LIBRARY
from target_amplitude.amplitude.answers import Answer, NoAnswer
from target_amplitude.amplitude.http import LONGEST_WAIT, reason_or_raise
from target_amplitude.common.http import retry_after
from target_amplitude.common.session import Session, UnansweredError
from target_amplitude.settings import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_amplitude.settings import Settings

REQUEST_SECONDS = 120.0
"""The time for a request of 20 MB and its answer."""

MOST_BYTES = 250_000
"""The most bytes of an answer, also of one that refuses or throttles 2,000 events by name."""

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
        self._session = Session(LIBRARY)
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
            received = self._session.fetch(
                "POST",
                self._url,
                seconds=REQUEST_SECONDS,
                most_bytes=MOST_BYTES,
                error_bytes=MOST_BYTES,
                data=body,
                headers=headers,
            )
        except UnansweredError as error:
            return NoAnswer(reason_or_raise(error)), size
        answer = Answer(
            received.status,
            received.body.replace(self._key.encode(), b"<api_key>"),
            retry_after(received.headers, LONGEST_WAIT),
            received.headers.get("Date", ""),
        )
        return answer, size

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def host_of(url: str) -> str:
    """Return the host of a URL, for messages."""
    return urlsplit(url).hostname or "the server"
