"""Read HubSpot's `created`, which taps send as RFC 3339 text or as milliseconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s*(Z|z|[+-]\d\d:?\d\d)?",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_HOUR = 3_600_000
_DAY = 24 * _HOUR
_MAX_HOURS = 20_000

_hours: dict[str, int] = {}
_WITHIN_HOUR = {
    f"{minute:02}:{second:02}.": (minute * 60 + second) * 1000
    for minute in range(60)
    for second in range(60)
}
_FRACTIONS = {f"{millis:03}Z": millis for millis in range(1000)}


def to_milliseconds(value: Any) -> int | None:
    """Return the milliseconds since 1970 of a timestamp, or None where it is not one.

    Text without an offset is UTC.
    """
    kind = type(value)
    if kind is str:
        if len(value) == 24:  # noqa: PLR2004
            try:  # `2025-10-09T08:53:20.000Z`, if its hour is cached
                return _hours[value[:14]] + _WITHIN_HOUR[value[14:20]] + _FRACTIONS[value[20:]]
            except KeyError:
                pass
        return _parse(value)
    if kind is int:
        return int(value)
    if kind is float and value.is_integer():
        return int(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return (aware - _EPOCH) // _MILLISECOND
    return None


def _parse(text: str) -> int | None:
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 16:  # noqa: PLR2004
        return int(text)
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    if offset is None or offset in "Zz":
        offset = "+00:00"
    elif ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
        millis = (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
    if offset == "+00:00":
        if len(_hours) >= _MAX_HOURS:
            _hours.clear()
        # Not by the date in the text: newer Pythons read 24:00 as the beginning of the next day.
        date, midnight = moment.date().isoformat(), millis - millis % _DAY
        _hours.update({f"{date}T{hour:02}:": midnight + hour * _HOUR for hour in range(24)})
    return millis + int((fraction or "").ljust(3, "0")[:3])
