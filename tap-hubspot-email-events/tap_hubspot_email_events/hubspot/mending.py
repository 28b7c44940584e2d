"""Read an answer that is not quite JSON: broken characters, and numbers that are none."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

import msgspec

_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f]")
_LARGEST = 2**64 - 1


class Mended(NamedTuple):
    """An answer as proper JSON, and the events, by id, that something was wrong with."""

    body: bytes
    events: list[Any]


def mend(body: bytes) -> Mended | None:
    """Mend an answer; None if it is no JSON with broken characters, such as half of one.

    Bytes that are no UTF-8 and lone surrogates become U+FFFD, raw control characters are kept, and
    NaN and infinities become null.
    """
    try:
        # Bytes that are no UTF-8 become lone surrogates, as which they are replaced below.
        content = json.loads(
            body.decode("utf-8-sig", errors="surrogateescape"),
            strict=False,
            parse_constant=lambda _: math.nan,
        )
        mended = _mend(content)
        return Mended(msgspec.json.encode(mended), _broken_events(content, mended))
    except (ValueError, OverflowError, RecursionError):
        return None


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mend(name): _mend(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_mend(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > _LARGEST:
        return float(value)
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
