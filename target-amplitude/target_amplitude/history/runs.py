"""What can be said of the runs in a job log, also of those that an older version wrote. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GOOD = "delivered"


def streams_of(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of a run's streams."""
    streams = run.get("streams")
    return [each for each in streams if isinstance(each, dict)] if isinstance(streams, list) else []


def total(run: dict[str, Any], name: str) -> int:
    """Return a figure of a run over all streams."""
    return sum(int(stream.get(name) or 0) for stream in streams_of(run))


def rejected(run: dict[str, Any]) -> Counter[str]:
    """Return the rejected records of a run by reason."""
    reasons: Counter[str] = Counter()
    for stream in streams_of(run):
        reasons.update(stream.get("rejected") or {})
    return reasons


def is_delivery(run: dict[str, Any]) -> bool:
    """Whether a run was to deliver: no dry run, and no report of a reconciliation."""
    return not run.get("dry_run")


def is_good(run: dict[str, Any]) -> bool:
    """Whether a run delivered what it could and ended with exit code 0."""
    code = run.get("exit_code", 0 if run.get("outcome") == _GOOD else 1)
    return is_delivery(run) and code == 0


def parse(text: object) -> datetime | None:
    """Parse a time of the job log."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None


def ended(run: dict[str, Any]) -> datetime | None:
    """Return when a run ended."""
    started = parse(run.get("started"))
    return None if started is None else started + timedelta(seconds=float(run.get("seconds") or 0))


def last_good_end(runs: Iterable[dict[str, Any]]) -> datetime | None:
    """Return when the last good run ended."""
    ends = [end for run in runs if is_good(run) and (end := ended(run)) is not None]
    return max(ends, default=None)


def last_event(run: dict[str, Any]) -> datetime | None:
    """Return the newest event of a run."""
    events = [
        event
        for stream in streams_of(run)
        if (event := parse(stream.get("last_event"))) is not None
    ]
    return max(events, default=None)


def lag(run: dict[str, Any]) -> timedelta | None:
    """Return how old the newest event of a run was when it ended."""
    end, event = ended(run), last_event(run)
    return None if end is None or event is None else end - event


def events_by_time(runs: Sequence[dict[str, Any]]) -> dict[str, Counter[datetime]]:
    """Return the events to be delivered by stream and by the hour or day they happened in."""
    streams: dict[str, Counter[datetime]] = {}
    for run in filter(is_delivery, runs):
        for stream in streams_of(run):
            for text, count in (stream.get("events_by_hour") or {}).items():
                moment = parse(f"{text}:00:00+00:00" if "T" in text else f"{text}T00:00:00+00:00")
                if moment is not None:
                    name = str(stream.get("stream"))
                    streams.setdefault(name, Counter())[moment] += int(count)
    return streams
