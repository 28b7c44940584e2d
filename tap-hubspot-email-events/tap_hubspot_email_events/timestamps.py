"""Instants as HubSpot counts them, in milliseconds since 1970, and as RFC 3339 text."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_RFC_3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_WITHIN_HOUR = [f"{minute:02d}:{second:02d}." for minute in range(60) for second in range(60)]
_MILLISECONDS = [f"{millisecond:03d}Z" for millisecond in range(1000)]
_HOURS_KEPT = 50_000
EARLIEST = 946_684_800_000
"""2000-01-01, in milliseconds. HubSpot was founded in 2006, so no event is older."""


def parse_timestamp(text: str) -> int:
    """Parse an RFC 3339 date or date-time, in UTC if it has no offset.

    Raises:
        ValueError: The text is no such date.
    """
    if not (match := _RFC_3339.fullmatch(text.strip())):
        raise ValueError("not an RFC 3339 date")
    *fields, fraction, offset = match.groups()
    year, month, day, hour, minute, second = (int(field or 0) for field in fields)
    moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone(offset))
    return (moment - _EPOCH) // _MILLISECOND + int((fraction or "").ljust(3, "0")[:3])


def _zone(offset: str | None) -> timezone:
    if offset is None or offset in "Zz":
        return timezone.utc
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


class TimestampFormat:
    """Formats milliseconds since 1970 as `2025-10-09T08:53:20.000Z`, fast for many at once."""

    def __init__(self) -> None:
        """Start with empty tables of days and hours."""
        self._days: dict[int, str] = {}
        self._hours: dict[int, str] = {}

    def __call__(self, milliseconds: int) -> str:
        """Format one instant.

        Raises:
            ValueError: The instant lies outside the years 1 to 9999.
        """
        return self.each([milliseconds])[0]

    def each(self, instants: Iterable[int]) -> list[str]:
        """Format many instants.

        Raises:
            ValueError: One lies outside the years 1 to 9999.
        """
        hours = self._hours
        texts = []
        for milliseconds in instants:
            seconds, rest = divmod(milliseconds, 1000)
            hour, second = divmod(seconds, 3600)
            prefix = hours.get(hour) or self._prefix(hour)
            texts.append(f"{prefix}{_WITHIN_HOUR[second]}{_MILLISECONDS[rest]}")
        return texts

    def _prefix(self, hour: int) -> str:
        if len(self._hours) >= _HOURS_KEPT:
            # Replaced as a whole, so that threads can share them without a lock.
            self._days, self._hours = {}, {}
        day, hour_of_day = divmod(hour, 24)
        prefix = self._hours[hour] = f"{self._days.get(day) or self._date(day)}T{hour_of_day:02d}:"
        return prefix

    def _date(self, day: int) -> str:
        try:
            date = self._days[day] = (_EPOCH + timedelta(days=day)).date().isoformat()
        except OverflowError as error:
            raise ValueError("outside the years 1 to 9999") from error
        return date


format_timestamp = TimestampFormat()
