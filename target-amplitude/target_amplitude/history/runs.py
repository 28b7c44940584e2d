"""What can be said of the runs in a job log, also of damaged ones and of those of older versions.

Pure, and total: a figure that is none counts as 0, a time that is none as unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import MAXYEAR, MINYEAR, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_GOOD_OUTCOMES = ("delivered", "dry run", "reconciled")
"""Of lines without an exit code, which versions before 0.1 wrote."""

_YEARS = range(2000, 2100)
"""Events of other years are damage, and would make a page without bounds."""

_LARGEST = 1e15
"""Above, a number is damage: the events of all HubSpot accounts together are fewer."""


def figure(value: object) -> float:
    """Return a figure of the job log."""
    return value if isinstance(value, (int, float)) and 0 <= value <= _LARGEST else 0


def counts(value: object) -> Counter[str]:
    """Return counts by name."""
    return Counter(
        {str(name): int(figure(count)) for name, count in value.items()}
        if isinstance(value, dict)
        else {}
    )


def streams_of(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of a run's streams."""
    streams = run.get("streams")
    return [each for each in streams if isinstance(each, dict)] if isinstance(streams, list) else []


def total(run: Mapping[str, Any], name: str) -> int:
    """Return a figure of a run over all streams."""
    return sum(int(figure(stream.get(name))) for stream in streams_of(run))


def rejected(run: Mapping[str, Any]) -> Counter[str]:
    """Return the rejected records of a run by reason."""
    return sum((counts(stream.get("rejected")) for stream in streams_of(run)), start=Counter())


def is_delivery(run: Mapping[str, Any]) -> bool:
    """Whether a run was to deliver: no dry run, and no report of a reconciliation."""
    return not run.get("dry_run")


def is_failed(run: Mapping[str, Any]) -> bool:
    """Whether a run of any kind ended with another exit code than 0, or its input ended early."""
    if run.get("complete") is False:
        return True
    code = run.get("exit_code")
    return code != 0 if isinstance(code, int) else run.get("outcome") not in _GOOD_OUTCOMES


def is_good(run: Mapping[str, Any]) -> bool:
    """Whether a run delivered what it could, all of its input, and ended with exit code 0."""
    return is_delivery(run) and not is_failed(run)


def state_of(run: Mapping[str, Any]) -> tuple[str, str]:
    """Return the state id of a run, `environment:tap-to-target`, and the suffix it was given."""
    *state, suffix = f"{run.get('state_id') or ''}::".split(":", 2)
    return ":".join(state).rstrip(":"), suffix.rstrip(":")


def regular_runs(runs: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return runs by state id, oldest first, without those that were given a suffix.

    Where all were given one, as by an environment that sets it, all of them are regular.
    """
    states: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in sorted(runs, key=started):
        states[state_of(run)[0]].append(run)
    return {
        state: [run for run in found if not state_of(run)[1]] or found
        for state, found in states.items()
    }


NEVER = datetime.min.replace(tzinfo=timezone.utc)


def unit_of(length: timedelta) -> tuple[str, timedelta]:
    """Return the unit that fits a length of time."""
    if length < timedelta(minutes=1):
        return "seconds", timedelta(seconds=1)
    if length < 2 * HOUR:
        return "minutes", timedelta(minutes=1)
    return ("hours", HOUR) if length < 2 * DAY else ("days", DAY)


def at(moment: datetime) -> str:
    """Return a moment in words."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def parse(text: object) -> datetime | None:
    """Parse a time of the job log as UTC."""
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        moment = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
    # Nothing can be reckoned with at the ends of what Python knows.
    return moment if MINYEAR < moment.year < MAXYEAR else None


def seconds(run: Mapping[str, Any]) -> float:
    """Return how long a run took."""
    return figure(run.get("seconds"))


def started(run: Mapping[str, Any]) -> datetime:
    """Return when a run started, or the beginning of time where that is unknown."""
    return parse(run.get("started")) or NEVER


def ended(run: Mapping[str, Any]) -> datetime:
    """Return when a run ended, or the beginning of time where that is unknown."""
    try:
        start = started(run)
        return start if start == NEVER else start + timedelta(seconds=seconds(run))
    except OverflowError:
        return NEVER


def lag(run: Mapping[str, Any]) -> timedelta | None:
    """Return how old the newest event of a run was when it ended."""
    events = [event for stream in streams_of(run) if (event := parse(stream.get("last_event")))]
    if not events or ended(run) == NEVER:
        return None
    return max(timedelta(0), ended(run) - max(events))


def reasons_in_words(reasons: Mapping[str, int]) -> str:
    """Return counts by name in words, such as `3 invalid id, 1 no user`."""
    return ", ".join(f"{count:,} {name}" for name, count in reasons.items())


def delivered_by_time(
    runs: Iterable[dict[str, Any]],
) -> Iterator[tuple[dict[str, Any], str, str, int]]:
    """Yield run, stream, hour or day such as `2026-11-27T05`, and what was delivered of it."""
    return (
        (run, str(stream.get("stream")), text, count)
        for run in runs
        if is_delivery(run)
        for stream in streams_of(run)
        for text, count in counts(stream.get("delivered_by_hour")).items()
        if count
    )


def delivered_events(
    runs: Iterable[dict[str, Any]],
) -> tuple[timedelta, dict[str, Counter[datetime]]]:
    """Return a day, or an hour where all runs have hours, and by it what streams delivered.

    What another suffix of a state id delivered of the same hour or day may be the same events read
    again, so the larger count of both stands for it.
    """
    delivered = list(delivered_by_time(runs))
    unit = HOUR if all("T" in text for _, _, text, _ in delivered) else DAY
    by_suffix: dict[tuple[str, str, datetime], Counter[str]] = defaultdict(Counter)
    for run, stream, text, count in delivered:
        state, suffix = state_of(run)
        moment = parse(f"{text}:00" if "T" in text else text)
        if moment is not None and moment.year in _YEARS:
            if unit == DAY:
                moment = moment.replace(hour=0)
            by_suffix[stream, state, moment][suffix] += count
    streams: dict[str, Counter[datetime]] = defaultdict(Counter)
    for (stream, _, moment), found in by_suffix.items():
        streams[stream][moment] += max(found.values())
    return unit, dict(streams)
