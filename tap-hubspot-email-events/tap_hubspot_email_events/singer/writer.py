"""Singer messages to stdout as bytes."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from typing_extensions import override

from tap_hubspot_email_events.common.errors import UserError
from tap_hubspot_email_events.common.output import write_output
from tap_hubspot_email_events.errors import StreamError
from tap_hubspot_email_events.singer.sdk import passes_unchanged, record_messages

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message

    from tap_hubspot_email_events.singer.sdk import SelfReadingStream

logger = logging.getLogger(__name__)

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


class BytesWriter(GenericSingerWriter[bytes, "Message"]):
    """Writes single messages, or many lines at once."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=str, decimal_format="number")

    @override
    def serialize_message(self, message: Message) -> bytes:
        """Encode one message as a line.

        Raises:
            StreamError: It holds what JSON cannot carry.
        """
        try:
            return self._encoder.encode(message.to_dict()) + b"\n"
        except (TypeError, ValueError, OverflowError, RecursionError) as failure:
            raise StreamError(
                "What stream maps make of a record cannot be written as JSON "
                f"({type(failure).__name__}); correct their expressions"
            ) from None

    @override
    def write_message(self, message: Message) -> None:
        """Write one message."""
        self.write_lines(self.serialize_message(message))

    def write_lines(self, lines: bytes) -> None:
        """Write complete lines and flush.

        Raises:
            SystemExit: They cannot be written, because the reader has ended for example.
        """
        try:
            write_output(lines, "Records")
        except UserError as failure:
            logger.error("%s", failure)  # noqa: TRY400 - a user needs no traceback
            raise SystemExit(1) from None


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
