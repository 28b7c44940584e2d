"""The messages and metrics of one stream."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import metrics

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
    """Writes the messages of one stream and keeps its metrics, from its schema to `close`."""

    def __init__(self, stream: SelfReadingStream, writer: BytesWriter) -> None:
        """Write the SCHEMA message."""
        self._stream = stream
        self._writer = writer
        stream.write_schema()
        # Stream maps keep the record they work on in themselves, so one thread at a time.
        self._lock = None if passes_unchanged(stream) else threading.Lock()
        self._meters = ExitStack()
        self._counter = self._meters.enter_context(stream.get_record_counter())
        self._meters.enter_context(stream.get_sync_timer())
        self._closed = False

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

    def write(self, lines: bytes, records: int) -> None:
        """Write lines that hold that many records."""
        self._writer.write_lines(lines)
        self._counter.increment(records)

    def close(self, endpoint: str, requests: int) -> None:
        """Log the stream's metrics, once, with the requests sent to `endpoint`."""
        if not self._closed:
            self._closed = True
            with metrics.http_request_counter(self._stream.name, endpoint) as counter:
                counter.increment(requests)
            self._meters.close()
