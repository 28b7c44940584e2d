"""What became of the records of each stream, as counts."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from target_amplitude.history.distinct_users import DistinctUsers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_HOUR = 3_600_000
_MOST_HOURS = 24 * 8
"""Of more than about a week, the job log has days."""


class StreamCounts:
    """Counts of one stream; times of events are milliseconds since 1970.

    Attributes:
        has_emails: Whether email events of HubSpot's were among its records.
    """

    __slots__ = (
        "delivered",
        "ended",
        "events",
        "fell_back",
        "first",
        "has_emails",
        "hours",
        "last",
        "read",
        "rejected",
        "rejected_counted",
        "requests",
        "retried",
        "sent_bytes",
        "skipped",
        "started",
        "stream",
        "users",
    )

    def __init__(self, stream: str, started: float) -> None:
        """Start at zero; `started` and `ended` are seconds of the same clock."""
        self.stream = stream
        self.read = 0
        self.events = 0
        self.delivered = 0
        self.skipped = 0
        self.fell_back = 0
        self.rejected: Counter[str] = Counter()
        self.rejected_counted = 0
        self.retried = 0
        self.requests = 0
        self.sent_bytes = 0
        self.first: int | None = None
        self.last: int | None = None
        self.has_emails = False
        # Events by the hour they happened in, counted from 1970.
        self.hours: Counter[int] = Counter()
        self.users = DistinctUsers()
        self.started = started
        self.ended = started

    @property
    def pending(self) -> int:
        """Records that were read and are neither delivered, skipped nor rejected."""
        return self.read - self.delivered - self.skipped - self.rejected.total()

    def add_events(self, users: Collection[str], times: Collection[int]) -> None:
        """Count events to be delivered: one user for each event, and the times that are known."""
        self.read += len(users)
        self.events += len(users)
        self.users.add(users)
        if times:
            self.hours.update([time // _HOUR for time in times])
            first, last = min(times), max(times)
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)

    def reject(self, reason: str, *, counted: bool) -> None:
        """Count a rejected record; `counted` ones count towards `max_rejected_percent`."""
        self.rejected[reason] += 1
        if counted:
            self.rejected_counted += 1

    def summary(self) -> dict[str, Any]:
        """Return the counts as they stand in the job log."""
        return {
            "stream": self.stream,
            "read": self.read,
            "delivered": self.delivered,
            "skipped": self.skipped,
            "matched": self.events - self.fell_back,
            "fell_back": self.fell_back,
            "rejected": dict(self.rejected),
            "not_covered": self.pending,
            "retried": self.retried,
            "requests": self.requests,
            "bytes": self.sent_bytes,
            "seconds": round(self.ended - self.started, 3),
            "distinct_users": self.users.count(),
            "distinct_users_exact": self.users.is_exact,
            "first_event": _as_text(self.first),
            "last_event": _as_text(self.last),
            "events_by_hour": by_hour_or_day(self.hours),
        }


class CountsByStream(dict[str, StreamCounts]):
    """The counts of a run by stream, in the order the streams came."""

    def __missing__(self, stream: str) -> StreamCounts:
        """Start counting a stream."""
        counts = self[stream] = StreamCounts(stream, time.monotonic())
        return counts


def rejected_percent(streams: Iterable[StreamCounts]) -> float:
    """Share of rejected records among those that could have become events."""
    read = rejected = 0
    for counts in streams:
        rejected += counts.rejected_counted
        read += counts.read - counts.rejected.total() + counts.rejected_counted
    return 100 * rejected / read if read else 0.0


def by_hour_or_day(hours: Mapping[int, int]) -> dict[str, int]:
    """Return events by hour such as `2026-11-27T05`, by day where there are too many hours."""
    length = len("2026-11-27" if len(hours) > _MOST_HOURS else "2026-11-27T05")
    texts: Counter[str] = Counter()
    for hour, count in sorted(hours.items()):
        text = _as_text(hour * _HOUR)
        if text is not None:
            texts[text[:length]] += count
    return dict(texts)


def _as_text(millis: int | None) -> str | None:
    if millis is None:
        return None
    try:
        moment = datetime.fromtimestamp(millis / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
