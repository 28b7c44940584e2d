"""Singer messages to stdout as bytes."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from typing_extensions import override

from tap_hubspot_email_events.common.output import write_whole
from tap_hubspot_email_events.errors import StreamError

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message

logger = logging.getLogger(__name__)


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
            SystemExit: The reader has closed the pipe.
        """
        try:
            write_whole(sys.stdout.buffer, lines)
        except BrokenPipeError:
            message = "The program that reads this tap's output has ended; see its own messages."
            logger.error(message)  # noqa: TRY400 - a user needs no traceback
            # Python flushes stdout again when it exits, and would report the same failure.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
