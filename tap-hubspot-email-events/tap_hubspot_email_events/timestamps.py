"""Instants as HubSpot counts them, in milliseconds since 1970, and as RFC 3339 text."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[T ](\d{2}:\d{2})(?:(:\d{2})(?:[.,](\d{1,9}))?)?\s*(?:Z|([+-]\d{2}):?(\d{2}))?)?",
    re.IGNORECASE | re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_WITHIN_HOUR = [f"{minute:02d}:{second:02d}" for minute in range(60) for second in range(60)]
_THREE_DIGITS = [f"{number:03d}" for number in range(1000)]
EARLIEST = 946_684_800_000
"""2000-01-01, in milliseconds. HubSpot was founded in 2006, so no event is older."""


def parse_timestamp(text: str) -> int:
    """Parse an RFC 3339 date or date-time, in UTC if it has no offset.

    Raises:
        ValueError: The text is no such date.
    """
    if not (match := _RFC_3339.fullmatch(text.strip())):
        raise ValueError("not an RFC 3339 date")
    date, time, seconds, fraction, hours, minutes = match.groups("")
    zone = f"{hours or '+00'}:{minutes or '00'}"
    moment = datetime.fromisoformat(f"{date}T{time or '00:00'}{seconds}{zone}")
    return (moment - _EPOCH) // _MILLISECOND + int(fraction.ljust(3, "0")[:3])


def format_timestamp(milliseconds: int) -> str:
    """Format milliseconds since 1970 as `2025-10-09T08:53:20.000Z`.

    Raises:
        ValueError: The instant lies outside the years 1 to 9999.
    """
    seconds, rest = divmod(milliseconds, 1000)
    hours, second = divmod(seconds, 3600)
    return f"{_hour(hours)}:{_WITHIN_HOUR[second]}.{_THREE_DIGITS[rest]}Z"


@lru_cache(maxsize=10_000)
def _hour(hours: int) -> str:
    """Format an hour, which is most of the work, and that of many events."""
    try:
        return (_EPOCH + timedelta(hours=hours)).isoformat()[:13]
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error
