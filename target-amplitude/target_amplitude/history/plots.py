"""The charts of the job log's page: what each run brought, and when the events happened. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from target_amplitude.history.chart import Bar, Chart, Mark
from target_amplitude.history.runs import (
    DAY,
    HOUR,
    at,
    delivered_events,
    reasons_in_words,
    regular_runs,
    unit_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_amplitude.history.runs import LoggedRun

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


def charts(runs: Sequence[LoggedRun], recent: Sequence[LoggedRun]) -> list[Chart]:
    """Return the charts: of the events of all runs, and of the recent runs themselves."""
    deliveries = [run for run in recent if run.is_delivery]
    regular = [run for found in regular_runs(deliveries).values() for run in found]
    of_runs = (
        _chart(
            "Delivered",
            "What each run delivered.",
            "events per run",
            [_mark(run, run.delivered, f"{run.delivered:,} delivered") for run in deliveries],
        ),
        _chart(
            "Rejected",
            "Records that were refused, of each run that had any; reasons are in the table.",
            "records per run",
            [
                _mark(run, run.rejected.total(), f"{reasons_in_words(run.rejected)} rejected")
                for run in deliveries
                if run.rejected
            ],
        ),
        _chart_of_lengths(
            "Lag",
            "How old the newest event of a run was when it ended; runs without a state id suffix.",
            [(run, run.lag) for run in regular if run.lag is not None],
        ),
        _chart_of_lengths(
            "Duration",
            "How long each run took.",
            [(run, timedelta(seconds=run.seconds)) for run in recent],
        ),
        _chart(
            "Reconciliations",
            "Events that Amplitude lacked or held more than once when it was compared.",
            "events",
            [
                replace(_mark(run, found[name], f"{found[name]:,} {name}"), shape=name)
                for run in recent
                if (found := run.reconciliation) is not None
                for name in ("missing", "doubled")
            ],
        ),
    )
    ends = [run.ended for run in recent]
    drawn = [
        _events(runs),
        *(replace(chart, span=(min(ends), max(ends))) for chart in of_runs if chart.marks),
    ]
    return [chart for chart in drawn if chart.bars or chart.marks]


def _events(runs: Sequence[LoggedRun]) -> Chart:
    unit, streams = delivered_events(runs)
    moments = [moment for times in streams.values() for moment in times]
    length = max(moments) - min(moments) if moments else timedelta(0)
    if unit == HOUR and length <= _MOST_HOURS:
        width, name = HOUR, "hour"
    elif length <= _MOST_DAYS:
        width, name = DAY, "day"
    else:
        width, name = 7 * DAY, "week"
    totals = Counter({stream: times.total() for stream, times in streams.items()})
    named = sorted(stream for stream, _ in totals.most_common(_MOST_STREAMS - 1))
    bins: dict[datetime, Counter[str]] = defaultdict(Counter)
    for stream, times in streams.items():
        for moment, count in times.items():
            bins[_bin(moment, width)][stream if stream in named else _OTHERS] += count
    order = [*named, *([_OTHERS] if len(totals) > len(named) else [])]
    styles = {stream: f"stream{place}" for place, stream in enumerate(order)}
    sums = sum(bins.values(), start=Counter[str]())
    return Chart(
        "Events by the time they happened",
        f"Delivered events by {name} and stream; what is sent again counts again.",
        f"events per {name}",
        [(styles[stream], f"{stream} {sums[stream]:,}") for stream in order],
        bars=[
            Bar(
                start,
                start + width,
                [(styles[stream], found[stream]) for stream in order if found[stream]],
                f"{at(start)}, one {name}: "
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


def _chart(title: str, note: str, unit: str, marks: Sequence[Mark], *, whole: bool = True) -> Chart:
    shapes = dict.fromkeys(mark.shape for mark in marks)
    legend = [(shape, _NAMES.get(shape, shape)) for shape in shapes]
    return Chart(title, note, unit, legend, marks=marks, whole=whole)


def _chart_of_lengths(title: str, note: str, found: Sequence[tuple[LoggedRun, timedelta]]) -> Chart:
    """Return a chart of lengths of time in the unit that fits most of them."""
    lengths = sorted(length for _, length in found)
    usual = lengths[int(0.9 * len(lengths))] if lengths else timedelta(0)
    unit, size = unit_of(usual)
    marks = [_mark(run, length / size, f"{length / size:,.1f} {unit}") for run, length in found]
    return _chart(title, note, unit, marks, whole=False)


def _mark(run: LoggedRun, value: float, said: str) -> Mark:
    state = f", state id suffix {run.suffix}" if run.suffix else ""
    label = f"{at(run.ended)}{state}, {_NAMES[run.kind]}: {said}"
    return Mark(run.ended, value, run.kind, label)
