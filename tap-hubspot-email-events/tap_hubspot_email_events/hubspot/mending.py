"""Read an answer that is not quite JSON: broken characters, and values that cannot be read."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

import msgspec

_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f]")
_MOST_DIGITS = 308
"""Those of the largest number that JSON readers keep, as a float."""
_DEEPEST = 100
"""Levels of lists and objects that are kept; readers take hardly a thousand."""
_NESTING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


class Mended(NamedTuple):
    """An answer as proper JSON, and the events, by id, that something was wrong with."""

    body: bytes
    events: list[Any]


def mend(body: bytes) -> Mended | None:
    """Mend an answer; None if it is no JSON with broken characters, such as half of one.

    Bytes that are no UTF-8 and lone surrogates become U+FFFD, raw control characters are kept, and
    NaN, infinities, numbers of more than 308 digits, and lists and objects nested too deeply become
    null.
    """
    # Bytes that are no UTF-8 become lone surrogates, as which they are replaced below.
    text = _without_depth(body.decode("utf-8-sig", errors="surrogateescape"))
    try:
        content = json.loads(
            text, strict=False, parse_constant=lambda _: math.nan, parse_int=_whole_number
        )
        mended = _mend(content)
    except (ValueError, RecursionError):
        return None
    return Mended(msgspec.json.encode(mended), _broken_events(content, mended))


def _whole_number(digits: str) -> float:
    # Python refuses to read thousands of digits, which would take it long.
    return int(digits) if len(digits) <= _MOST_DIGITS else math.nan


def _without_depth(text: str) -> str:
    """Put NaN, which becomes null and is counted, for what is nested too deeply."""
    kept: list[str] = []
    depth = taken = 0
    for match in _NESTING.finditer(text):
        character = text[match.start()]
        if character in "[{":
            depth += 1
            if depth == _DEEPEST + 1:
                kept.append(text[taken : match.start()])
        elif character in "]}":
            if depth == _DEEPEST + 1:
                kept.append("NaN")
                taken = match.end()
            depth -= 1
    return "".join([*kept, text[taken:]])


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mend(name): _mend(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_mend(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _broken_events(content: Any, mended: Any) -> list[Any]:
    if not isinstance(content, dict) or not isinstance(content.get("events"), list):
        return []
    pairs = list(zip(content["events"], mended["events"], strict=True))
    # Where nothing was replaced, raw control characters are what was wrong.
    changed = [after for before, after in pairs if before != after]
    broken = changed or [after for _, after in pairs if _has_controls(after)]
    return [each.get("id") for each in broken if isinstance(each, dict)]


def _has_controls(value: Any) -> bool:
    if isinstance(value, str):
        return _CONTROLS.search(value) is not None
    if isinstance(value, dict | list):
        return any(map(_has_controls, value.values() if isinstance(value, dict) else value))
    return False
