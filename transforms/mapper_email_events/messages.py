"""Singer messages as lines of bytes."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import (
    GenericSingerReader,
    GenericSingerWriter,
    SingerMessageType,
)
from typing_extensions import override

from mapper_email_events.common.errors import UserError
from mapper_email_events.common.output import standard_input, write_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Message = dict[str, Any]

CHUNK = 262_144

# Numbers keep their digits: what one tap writes as 1.10 another target may store as money.
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class BlockReader(GenericSingerReader[bytes]):
    """Gives the SDK's loop the lines that have arrived, and writes what became of them.

    A write for each line, as the SDK's own writer does, takes twice as long in a pipe.

    Attributes:
        line: The line that is being treated, without its newline.
        number: Which line of the input that is.
    """

    def __init__(self, writer: BlockWriter) -> None:
        super().__init__()
        self._writer = writer
        self.line = b""
        self.number = 0

    @override
    def process_lines(
        self, file_input: IO[bytes] | None, callbacks: dict[str, Callable[[Message], None]]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        self._pass_on = callbacks[SingerMessageType.STATE]
        for block in read_blocks((file_input or self.default_input).fileno()):
            try:
                counts += super().process_lines(io.BytesIO(block), callbacks)
            finally:
                self._writer.flush()
        return counts

    @override
    def _process_unknown_message(self, message_dict: Message) -> None:
        if self.line.strip():
            self._pass_on(message_dict)

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return standard_input()

    @override
    def deserialize_json(self, line: bytes) -> Message:
        self.line = line.removesuffix(b"\n")
        self.number += 1
        return decode(self.line, self.number) if self.line.strip() else {"type": ""}


class BlockWriter(GenericSingerWriter[bytes, bytes]):
    """Writes lines together once they are flushed."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    @override
    def serialize_message(self, message: bytes) -> bytes:
        return message + b"\n"

    @override
    def write_message(self, message: bytes) -> None:
        self._lines.append(self.serialize_message(message))

    def flush(self) -> None:
        """Write what has gathered.

        Raises:
            UserError: It cannot be written, because the reader has ended for example.
        """
        block = b"".join(self._lines)
        self._lines = []
        write_output(block, "Records")


def read_blocks(descriptor: int) -> Iterator[bytes]:
    """Whole lines, as many at a time as have arrived; the last may lack its newline."""
    rest: list[bytes] = []
    while chunk := os.read(descriptor, CHUNK):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, chunk[:end]])
            rest = []
        if end < len(chunk):
            rest.append(chunk[end:])
    if rest:
        yield b"".join(rest)


def decode(line: bytes, number: int) -> Message:
    """The message of a line.

    Raises:
        UserError: The line is no Singer message; the text names its number only.
    """
    try:
        message = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        message = _decode_loosely(line)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise UserError(
            f"Line {number} of the input is not a Singer message; check the tap's output."
        )
    return message


def encode(message: Message) -> bytes:
    """A message as a line without its newline."""
    try:
        return _encoder.encode(message)
    except (ValueError, UnicodeError):
        return json.dumps(message, default=str).encode()


def _decode_loosely(line: bytes) -> Any:
    """What Python's JSON allows beyond the standard, such as NaN and single surrogates."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
