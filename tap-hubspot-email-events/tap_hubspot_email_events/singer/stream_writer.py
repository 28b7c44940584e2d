"""The messages of one stream."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.singer.sdk import passes_unchanged, record_messages

if TYPE_CHECKING:
    from tap_hubspot_email_events.singer.sdk import SelfReadingStream
    from tap_hubspot_email_events.singer.writer import BytesWriter


Record = dict[str, Any]
"""A record as Singer carries it."""


class _RecordMessage(msgspec.Struct, tag="RECORD", gc=False):
    """A RECORD message; the SDK builds its own field by field, at many times the cost."""

    stream: str
    record: Record
    time_extracted: str


_encoder = msgspec.json.Encoder()


def record_lines(stream: str, records: list[Record], time_extracted: str) -> bytes:
    """Encode records as lines of RECORD messages."""
    return _encoder.encode_lines(
        [_RecordMessage(stream, record, time_extracted) for record in records]
    )


class StreamWriter:
    """Writes the messages of one stream."""

    def __init__(self, stream: SelfReadingStream, writer: BytesWriter) -> None:
        """Write the SCHEMA message."""
        self._stream = stream
        self._writer = writer
        stream.write_schema()
        # Stream maps keep the record they work on in themselves, so one thread at a time.
        self._lock = None if passes_unchanged(stream) else threading.Lock()

    @property
    def state(self) -> dict[str, Any]:
        """The stream's entry in the state, to be changed in place."""
        return self._stream.stream_state

    def encode(self, records: list[Record]) -> tuple[bytes, int]:
        """Encode records as lines, as the SDK would; safe to call from many threads.

        Returns also how many of them stream maps have dropped.

        Raises:
            StreamError: A stream map fails.
        """
        if self._lock is None:
            extracted = datetime.now(timezone.utc).isoformat()
            return record_lines(self._stream.name, records, extracted), 0
        with self._lock:
            messages = [record_messages(self._stream, record) for record in records]
            lines = b"".join(
                self._writer.serialize_message(each) for made in messages for each in made
            )
        return lines, sum(not made for made in messages)
