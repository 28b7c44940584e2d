"""Singer messages as lines of bytes."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from mapper_email_events.errors import MapperError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 262_144

# Numbers keep their digits: what one tap writes as 1.10 another target may store as money.
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def read_blocks(descriptor: int) -> Iterator[list[bytes]]:
    """Whole lines, as many at a time as have arrived; the last may lack its newline."""
    rest: list[bytes] = []
    while chunk := os.read(descriptor, CHUNK):
        *lines, last = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*rest, lines[0]])
            rest = []
            yield lines
        if last:
            rest.append(last)
    if rest:
        yield [b"".join(rest)]


def decode(line: bytes, number: int) -> dict[str, Any]:
    """The message of a line.

    Raises:
        MapperError: The line is no Singer message; the text names its number only.
    """
    try:
        message = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        message = _decode_loosely(line)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise MapperError(
            f"Line {number} of the input is not a Singer message; check the tap's output."
        )
    return message


def encode(message: dict[str, Any]) -> bytes:
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
