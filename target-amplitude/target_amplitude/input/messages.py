"""Singer messages: decoded a block of lines at a time, errors named by line number."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.exceptions import InvalidInputLine

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING = msgspec.Raw()


class Message(msgspec.Struct):
    """The parts of a Singer message that this target reads; states and schemas stay as sent."""

    type: str
    stream: str | None = None
    record: dict[str, Any] | None = None
    value: msgspec.Raw = NOTHING
    schema: msgspec.Raw = NOTHING
    key_properties: list[str] | None = None
    rejected: msgspec.Raw = NOTHING


_decoder = msgspec.json.Decoder(Message)
encode = msgspec.json.Encoder(decimal_format="number").encode
"""A value as JSON; raises TypeError for what JSON has no form for, UnicodeEncodeError for text that
is no Unicode."""


def split_lines(block: bytes) -> list[bytes]:
    """The lines of a block, without their ends."""
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def read_messages(
    block: bytes,
    lines: list[bytes],
    first_line: int,
) -> Iterator[tuple[int, bytes, Message]]:
    """Line number, line and message of each line of a block that is not blank.

    Raises:
        InvalidInputLine: At the first line that is no Singer message, once those before it have
            been given out; the text names the line's number and nothing of its content.
    """
    try:
        messages = _decoder.decode_lines(block)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        messages = []
    if len(messages) == len(lines):
        return zip(count(first_line), lines, messages)
    return _read_each(lines, first_line)


def _read_each(lines: list[bytes], first_line: int) -> Iterator[tuple[int, bytes, Message]]:
    for number, line in enumerate(lines, first_line):
        if line.strip():
            yield number, line, _read_one(line, number)


def _read_one(line: bytes, number: int) -> Message:
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _read_loosely(line, number)


def _read_loosely(line: bytes, number: int) -> Message:
    """A message with what Python's JSON allows beyond the standard, such as NaN."""
    try:
        loose = json.loads(line)
        parts = {
            name: msgspec.Raw(json.dumps(loose[name]).encode())
            for name in ("value", "schema", "rejected")
            if name in loose
        }
        known = {name: loose.get(name) for name in ("type", "stream", "record", "key_properties")}
        return msgspec.convert(known | parts, Message)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise InvalidInputLine(
            f"Line {number} of the input is not a Singer message; "
            "what came before it was delivered. Check the tap's output.",
        ) from None
