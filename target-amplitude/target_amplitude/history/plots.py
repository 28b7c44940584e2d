"""The charts of the job log's page: what each run brought, and when the events happened. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from target_amplitude.history.chart import Bar, Chart, Mark
from target_amplitude.history.runs import (
    DAY,
    HOUR,
    delivered_events,
    ended,
    figure,
    is_delivery,
    is_failed,
    lag,
    regular_runs,
    rejected,
    seconds,
    state_of,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_HOURS = 5 * DAY
_MOST_DAYS = 200 * DAY
_MOST_STREAMS = 12
_OTHERS = "other streams"
_NAMES = {
    "good": "ended well",
    "failed": "failed",
    "apart": "ended well, under a state id suffix",
    "dry": "dry run or report",
}
_UNITS = (
    ("seconds", timedelta(seconds=1), timedelta(minutes=2)),
    ("minutes", timedelta(minutes=1), 2 * HOUR),
    ("hours", HOUR, 2 * DAY),
    ("days", DAY, timedelta.max),
)


def charts(runs: Sequence[dict[str, Any]], recent: Sequence[dict[str, Any]]) -> list[Chart]:
    """Return the charts: of the events of all runs, and of the recent runs themselves."""
    ends = [end for end, _ in _ended(recent)]
    of_runs = (
        _delivered(recent),
        _rejected(recent),
        _lag(recent),
        _duration(recent),
        _reconciliations(recent),
    )
    drawn = [
        _events(runs),
        *(replace(chart, span=(min(ends), max(ends))) for chart in of_runs if chart.marks),
    ]
    return [chart for chart in drawn if chart.bars or chart.marks]


def kind_of(run: dict[str, Any]) -> str:
    """Return the shape that a run has in charts and in the table."""
    if is_failed(run):
        return "failed"
    if not is_delivery(run):
        return "dry"
    return "apart" if state_of(run)[1] else "good"


def _events(runs: Sequence[dict[str, Any]]) -> Chart:
    events = delivered_events(runs)
    moments = [moment for times in events.streams.values() for moment in times]
    length = max(moments) - min(moments) if moments else timedelta(0)
    width, name = next(
        (width, name)
        for width, name, most in (
            (HOUR, "hour", _MOST_HOURS),
            (DAY, "day", _MOST_DAYS),
            (7 * DAY, "week", timedelta.max),
        )
        if events.unit <= width and length <= most
    )
    totals = Counter({stream: times.total() for stream, times in events.streams.items()})
    named = sorted(stream for stream, _ in totals.most_common(_MOST_STREAMS - 1))
    bins: dict[datetime, Counter[str]] = defaultdict(Counter)
    for stream, times in events.streams.items():
        for moment, count in times.items():
            bins[_bin(moment, width)][stream if stream in named else _OTHERS] += count
    order = [*named, *([_OTHERS] if len(totals) > len(named) else [])]
    styles = {stream: f"stream{place}" for place, stream in enumerate(order)}
    sums = sum(bins.values(), start=Counter[str]())
    return Chart(
        "Events by the time they happened",
        f"Delivered events by {name} and stream, each event once.",
        f"events per {name}",
        [(styles[stream], f"{stream} {sums[stream]:,}") for stream in order],
        bars=[
            Bar(
                start,
                start + width,
                [(styles[stream], found[stream]) for stream in order if found[stream]],
                f"{_moment(start)}, one {name}: "
                + ", ".join(f"{found[stream]:,} {stream}" for stream in order if found[stream]),
            )
            for start, found in sorted(bins.items())
        ],
    )


def _bin(moment: datetime, width: timedelta) -> datetime:
    if width == HOUR:
        return moment
    day = moment.replace(hour=0)
    return day if width == DAY else day - day.weekday() * DAY


def _delivered(runs: Sequence[dict[str, Any]]) -> Chart:
    marks = [
        Mark(end, count, kind_of(run), _label(end, run, f"{count:,} delivered"))
        for end, run in _ended(runs)
        if is_delivery(run)
        for count in (total(run, "delivered"),)
    ]
    return Chart(
        "Delivered", "What each run delivered.", "events per run", _legend(marks), marks=marks
    )


def _rejected(runs: Sequence[dict[str, Any]]) -> Chart:
    marks = [
        Mark(end, reasons.total(), kind_of(run), _label(end, run, f"{said} rejected"))
        for end, run in _ended(runs)
        if is_delivery(run) and (reasons := rejected(run))
        for said in (", ".join(f"{count:,} {reason}" for reason, count in reasons.items()),)
    ]
    return Chart(
        "Rejected",
        "Records that were refused, of each run that had any; reasons are in the table.",
        "records per run",
        _legend(marks),
        marks=marks,
    )


def _lag(runs: Sequence[dict[str, Any]]) -> Chart:
    found = [
        (end, run, age)
        for regular in regular_runs(runs).values()
        for end, run in _ended(regular)
        if is_delivery(run) and (age := lag(run)) is not None
    ]
    unit, size = _unit([age for _, _, age in found])
    marks = [
        Mark(end, age / size, kind_of(run), _label(end, run, f"{age / size:,.1f} {unit}"))
        for end, run, age in found
    ]
    return Chart(
        "Lag",
        "How old the newest event of a run was when it ended; runs without a state id suffix.",
        unit,
        _legend(marks),
        marks=marks,
        whole=False,
    )


def _duration(runs: Sequence[dict[str, Any]]) -> Chart:
    found = [(end, run, timedelta(seconds=seconds(run))) for end, run in _ended(runs)]
    unit, size = _unit([took for _, _, took in found])
    marks = [
        Mark(end, took / size, kind_of(run), _label(end, run, f"{took / size:,.1f} {unit}"))
        for end, run, took in found
    ]
    return Chart(
        "Duration", "How long each run took.", unit, _legend(marks), marks=marks, whole=False
    )


def _reconciliations(runs: Sequence[dict[str, Any]]) -> Chart:
    marks = [
        Mark(end, count, name, _label(end, run, f"{count:,} {name}"))
        for end, run in _ended(runs)
        if isinstance(found := run.get("reconciliation"), dict)
        for name in ("missing", "doubled")
        for count in (int(figure(found.get(name))),)
    ]
    return Chart(
        "Reconciliations",
        "Events that Amplitude lacked or held more than once when it was compared.",
        "events",
        _legend(marks),
        marks=marks,
    )


def _ended(runs: Sequence[dict[str, Any]]) -> Iterator[tuple[datetime, dict[str, Any]]]:
    return ((end, run) for run in runs if (end := ended(run)) is not None)


def _unit(lengths: Sequence[timedelta]) -> tuple[str, timedelta]:
    """Return the unit that fits most of some lengths of time."""
    usual = sorted(lengths)[int(0.9 * len(lengths))] if lengths else timedelta(0)
    return next((name, size) for name, size, most in _UNITS if usual < most)


def _legend(marks: Sequence[Mark]) -> list[tuple[str, str]]:
    shapes = dict.fromkeys(mark.shape for mark in marks)
    return [(shape, _NAMES.get(shape, shape)) for shape in shapes]


def _label(end: datetime, run: dict[str, Any], said: str) -> str:
    suffix = state_of(run)[1]
    state = f", state id suffix {suffix}" if suffix else ""
    return f"{_moment(end)}{state}, {_NAMES[kind_of(run)]}: {said}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
