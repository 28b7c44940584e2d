"""HubSpot's clock, as the `Date` header of its answers shows it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tap_hubspot_email_events.common.http import parse_date
from tap_hubspot_email_events.timestamps import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND = 1000
"""A `Date` header is cut off to seconds."""


class HubSpotClock:
    """What HubSpot's answers say of the time; all instants and durations in milliseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The earliest time that an answer named, and how far this machine was ahead then.
        self.earliest: int | None = None
        self.ahead = 0

    def observe(self, headers: Mapping[str, str], *, sent: int, received: int) -> None:
        """Take note of an answer to a request, with this machine's times of both."""
        date = parse_date(headers.get("Date"))
        if date is None or date * SECOND < EARLIEST:
            return
        said = int(date) * SECOND
        with self._lock:
            if self.earliest is None or said < self.earliest:
                self.earliest = said
                # Negative where this machine is behind; 0 where both may be right.
                self.ahead = max(0, sent - (said + SECOND - 1)) or min(0, received - said)

    def bound(self, instant: int) -> int:
        """An instant of this machine's clock, but none that HubSpot's has not reached."""
        if self.earliest is None or self.ahead <= 0:
            return instant
        return min(instant, self.earliest)

    def corrected(self, instant: int) -> int:
        """An instant of this machine's clock, or HubSpot's own where that is wrong either way."""
        if self.earliest is None or self.ahead >= 0:
            return self.bound(instant)
        return max(instant, self.earliest)
