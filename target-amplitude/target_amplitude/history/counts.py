"""What became of each record, counted by stream."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from target_amplitude.history.distinct_users import DistinctUsers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_amplitude.delivery.queue import Item


class StreamTally:
    """Counts of one stream; times of events are milliseconds since 1970."""

    __slots__ = (
        "delivered",
        "ended",
        "events",
        "fell_back",
        "first",
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
        """Count from zero; `started` is on the clock of `ended`."""
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
        self.users = DistinctUsers()
        self.started = started
        self.ended = started

    @property
    def pending(self) -> int:
        """Records read of which nothing is known yet, or that wait for another run."""
        return self.read - self.delivered - self.skipped - self.rejected.total()

    def see(self, items: Collection[Item]) -> None:
        """Count events that are to be delivered, and note their users and times."""
        self.read += len(items)
        self.events += len(items)
        self.users.add([item.user for item in items])
        times = [time for item in items if (time := item.time) is not None]
        if times:
            first, last = min(times), max(times)
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)

    def reject(self, reason: str, *, counted: bool) -> None:
        """Count a record that was kept aside."""
        self.rejected[reason] += 1
        if counted:
            self.rejected_counted += 1

    def summary(self) -> dict[str, Any]:
        """The counts as JSON, the same in the log and in the job log."""
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
            "first_event": as_text(self.first),
            "last_event": as_text(self.last),
        }


def by_tally(items: Iterable[Item]) -> Iterator[tuple[StreamTally, list[Item]]]:
    """Events in runs that are counted in the same place: hundreds at once, since pages are read."""
    for tally, run in groupby(items, attrgetter("tally")):
        yield tally, list(run)


def as_text(time: int | None) -> str | None:
    """Milliseconds since 1970 as RFC 3339 text to the second."""
    if time is None:
        return None
    try:
        moment = datetime.fromtimestamp(time / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def rejected_percent(tallies: list[StreamTally]) -> float:
    """Share of the records that could have become events and were refused."""
    refused = sum(tally.rejected_counted for tally in tallies)
    aside = sum(tally.rejected.total() for tally in tallies) - refused
    read = sum(tally.read for tally in tallies) - aside
    return 100 * refused / read if read else 0.0


def sentence(summary: dict[str, Any], *, dry_run: bool = False) -> str:
    """One line of the log about one stream."""
    rejected = ", ".join(f"{count} {reason}" for reason, count in summary["rejected"].items())
    users = ""
    if summary["fell_back"]:
        users = f"{summary['matched']} matched, {summary['fell_back']} fell back to the recipient, "
    about = "" if summary["distinct_users_exact"] else "about "
    verb = "would be delivered" if dry_run else "delivered"
    return (
        f"{summary['stream']}: {summary['read']} read, {summary['delivered']} {verb}, "
        f"{summary['skipped']} skipped, {users}"
        f"{sum(summary['rejected'].values())} rejected"
        f"{f' ({rejected})' if rejected else ''}, {summary['not_covered']} left for the next run, "
        f"{summary['retried']} retried, {summary['requests']} requests, {summary['bytes']} bytes, "
        f"{summary['seconds']:.1f} s, {about}{summary['distinct_users']} distinct users"
    )
