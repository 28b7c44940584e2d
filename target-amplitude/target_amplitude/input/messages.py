"""Decode Singer messages, a block of lines at a time."""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_amplitude.input.lines import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = msgspec.Raw()
NO_REASON = "the tap or a mapping says why"


class Message(msgspec.Struct):
    """The parts of a Singer message that this target reads; `Raw` ones stay as they came."""

    type: str
    stream: str | None = None
    record: dict[str, Any] | None = None
    value: msgspec.Raw = ABSENT
    schema: msgspec.Raw = ABSENT
    key_properties: list[str] | None = None
    rejected: msgspec.Raw = ABSENT


class _State(msgspec.Struct):
    last_run: Any = None


_decoder = msgspec.json.Decoder(Message)
_state_decoder = msgspec.json.Decoder(_State)
_MAX_REASON = 300
_STREAM = re.compile(rb'"stream"\s*:\s*"([\w.-]{1,100})"')
_HEAD = 1000
"""Where the stream of a message is looked for if the message cannot be decoded."""


def split_lines(block: bytes) -> list[bytes]:
    """Split a block into lines without their newlines."""
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def decode_messages(
    block: bytes,
    lines: list[bytes],
    first_line: int,
) -> Iterator[tuple[int, bytes, Message]]:
    """Yield line number, line and message of each line of a block that is not blank.

    Raises:
        InvalidInputLine: At the first line that is too long or no Singer message, once those before
            it were yielded. It names the number of the line and of its content the stream at most.
    """
    if len(block) > MAX_LINE_BYTES:
        raise _too_long(block, first_line)
    try:
        messages = _decoder.decode_lines(block)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        messages = []
    if len(messages) == len(lines):
        return zip(count(first_line), lines, messages)
    return _decode_each(lines, first_line)


def early_end(state: bytes) -> str | None:
    """Return why the input ended early, if its last state says so; only this project's tap does."""
    try:
        last_run = _state_decoder.decode(state).last_run
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if not isinstance(last_run, dict) or last_run.get("complete") is not False:
        return None
    said = "".join(
        each if each.isprintable() else " " for each in str(last_run.get("reason") or "")
    )
    return said[:_MAX_REASON].strip(" .") or NO_REASON


def _too_long(line: bytes, number: int) -> InvalidInputLine:
    named = _STREAM.search(line, 0, _HEAD)
    stream = f", of stream {named[1].decode()}," if named else ""
    return InvalidInputLine(
        f"Line {number} of the input{stream} has more than the {MAX_LINE_BYTES:,} bytes that this "
        "target takes; what came before it was delivered. Leave out in the tap, or by a mapping, "
        "what makes it so long."
    )


def _decode_each(lines: list[bytes], first_line: int) -> Iterator[tuple[int, bytes, Message]]:
    for number, line in enumerate(lines, first_line):
        if line.strip():
            yield number, line, _decode(line, number)


def _decode(line: bytes, number: int) -> Message:
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _decode_loosely(line, number)


def _decode_loosely(line: bytes, number: int) -> Message:
    """Decode a message with what Python's JSON allows beyond the standard, such as NaN."""
    try:
        loose = json.loads(line)
        raw = {
            name: msgspec.Raw(json.dumps(loose[name]).encode())
            for name in ("value", "schema", "rejected")
            if name in loose
        }
        plain = {name: loose.get(name) for name in ("type", "stream", "record", "key_properties")}
        return msgspec.convert(plain | raw, Message)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise InvalidInputLine(
            f"Line {number} of the input is not a Singer message; "
            "what came before it was delivered. Check the tap's output.",
        ) from None
