"""What can be said of the runs in a job log, also of damaged ones. Pure, and total."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NEVER = datetime.min.replace(tzinfo=timezone.utc)

_YEARS = range(2000, 2100)
"""Events of other years are damage, and would stretch the axis of all others."""

_LARGEST = 1e15
"""Above, a number is damage: the events of all HubSpot accounts together are fewer."""


class LoggedRun:
    """A line of the job log; a figure that is none counts as 0.

    Attributes:
        line: The line as it stands in the file.
        started: The beginning of time where that is unknown.
        ended: Likewise.
        state: The state id, `environment:tap-to-target`, without its suffix.
        suffix: What was given as the suffix of the state id.
        is_delivery: Whether it was to deliver: no dry run, and no report of a reconciliation.
        is_failed: Whether it ended with another exit code than 0, or its input ended early.
        kind: `failed`, `dry` (no delivery), `apart` (under a suffix), or else `good`.
        rejected: Records by the reason for which they were rejected.
        lag: How old the newest event was when it ended, where that is known.
        reconciliation: The figures of a reconciliation, where it was one.
    """

    def __init__(self, line: Mapping[str, Any]) -> None:
        self.line = line
        streams = line.get("streams")
        streams = streams if isinstance(streams, list) else []
        self.streams: list[dict[str, Any]] = [each for each in streams if isinstance(each, dict)]
        self.seconds = _figure(line.get("seconds"))
        self.started = self.ended = parse(line.get("started")) or NEVER
        if self.started != NEVER:
            try:
                self.ended += timedelta(seconds=self.seconds)
            except OverflowError:
                self.ended = NEVER
        *state, suffix = f"{line.get('state_id') or ''}::".split(":", 2)
        self.state = ":".join(state).rstrip(":")
        self.suffix = suffix.rstrip(":")
        self.outcome = str(line.get("outcome") or "")
        self.is_delivery = not line.get("dry_run")
        self.is_failed = line.get("complete") is False or line.get("exit_code") != 0
        self.is_good = self.is_delivery and not self.is_failed
        self.kind = "apart" if self.suffix else "good"
        if self.is_failed or not self.is_delivery:
            self.kind = "failed" if self.is_failed else "dry"
        self.read, self.delivered, self.skipped = (
            sum(int(_figure(stream.get(name))) for stream in self.streams)
            for name in ("read", "delivered", "skipped")
        )
        self.rejected = sum((_counts(each.get("rejected")) for each in self.streams), Counter())
        events = [event for each in self.streams if (event := parse(each.get("last_event")))]
        self.lag: timedelta | None = None
        if events and self.ended != NEVER:
            self.lag = max(timedelta(0), self.ended - max(events))
        found = line.get("reconciliation")
        self.reconciliation = _counts(found) if isinstance(found, dict) else None


def regular_runs(runs: Iterable[LoggedRun]) -> dict[str, list[LoggedRun]]:
    """Return runs by state id, oldest first, without those that were given a suffix.

    Where all were given one, as by an environment that sets it, all of them are regular.
    """
    states: dict[str, list[LoggedRun]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.started):
        states[run.state].append(run)
    return {
        state: [run for run in found if not run.suffix] or found for state, found in states.items()
    }


def unit_of(length: timedelta) -> tuple[str, timedelta]:
    """Return the unit that fits a length of time."""
    if length < timedelta(minutes=1):
        return "seconds", timedelta(seconds=1)
    if length < 2 * HOUR:
        return "minutes", timedelta(minutes=1)
    return ("hours", HOUR) if length < 2 * DAY else ("days", DAY)


def in_words(length: timedelta) -> str:
    """Return a length of time in the unit that fits, such as `90 minutes`."""
    length = max(length, timedelta(0))
    name, unit = unit_of(length)
    count = length // unit
    return f"{count:,} {name if count != 1 else name.removesuffix('s')}"


def at(moment: datetime) -> str:
    """Return a moment in words."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def parse(text: object) -> datetime | None:
    """Parse a time of the job log as UTC."""
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def reasons_in_words(reasons: Mapping[str, int]) -> str:
    """Return counts by name in words, such as `3 invalid id, 1 no user`."""
    return ", ".join(f"{count:,} {name}" for name, count in reasons.items())


def delivered_by_time(runs: Iterable[LoggedRun]) -> Iterator[tuple[LoggedRun, str, str, int]]:
    """Yield run, stream, hour or day such as `2026-11-27T05`, and what was delivered of it."""
    return (
        (run, str(stream.get("stream")), text, count)
        for run in runs
        if run.is_delivery
        for stream in run.streams
        for text, count in _counts(stream.get("delivered_by_hour")).items()
        if count
    )


def delivered_events(
    runs: Iterable[LoggedRun],
) -> tuple[timedelta, dict[str, Counter[datetime]]]:
    """Return a day, or an hour where all runs have hours, and by it what streams delivered.

    What another suffix of a state id delivered of the same hour or day may be the same events read
    again, so the larger count of both stands for it.
    """
    delivered = list(delivered_by_time(runs))
    unit = HOUR if all("T" in text for _, _, text, _ in delivered) else DAY
    by_suffix: dict[tuple[str, str, datetime], Counter[str]] = defaultdict(Counter)
    for run, stream, text, count in delivered:
        moment = parse(f"{text}:00" if "T" in text else text)
        if moment is not None and moment.year in _YEARS:
            if unit == DAY:
                moment = moment.replace(hour=0)
            by_suffix[stream, run.state, moment][run.suffix] += count
    streams: dict[str, Counter[datetime]] = defaultdict(Counter)
    for (stream, _, moment), found in by_suffix.items():
        streams[stream][moment] += max(found.values())
    return unit, dict(streams)


def _figure(value: object) -> float:
    return value if isinstance(value, (int, float)) and 0 <= value <= _LARGEST else 0


def _counts(value: object) -> Counter[str]:
    return Counter(
        {str(name): int(_figure(count)) for name, count in value.items()}
        if isinstance(value, dict)
        else {}
    )
