"""The plots of the job log's page, as SVG."""

from __future__ import annotations

import html
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib import dates
from matplotlib.figure import Figure

from target_amplitude.history.runs import (
    ended,
    events_by_time,
    is_delivery,
    is_good,
    lag,
    parse,
    rejected,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from matplotlib.axes import Axes

_RECENT = timedelta(days=14)
_MINUTE = timedelta(minutes=1)
_WIDE = (9.0, 3.0)
_COLOURS = (
    *("#1f5fbf", "#f2711c", "#21a366", "#8e44ad", "#c0392b", "#16a2b8"),
    *("#7f8c8d", "#d4a017", "#e377c2", "#17375e", "#9acd32", "#8c564b"),
)


class Plot(NamedTuple):
    """A plot: `draws` returns whether there was something to draw."""

    title: str
    note: str
    draws: Callable[[Axes, Sequence[dict[str, Any]]], bool]


def draw(plot: Plot, runs: Sequence[dict[str, Any]]) -> str:
    """Return a plot as SVG, empty where there is nothing to draw."""
    # Text stays text, so that it can be read aloud, searched and printed sharp.
    with mpl.rc_context(
        {"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": plot.title}
    ):
        figure = Figure(figsize=_WIDE, layout="constrained")
        axes = figure.subplots()
        if not plot.draws(axes, runs):
            return ""
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.15g}")
        locator = dates.AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        concise = dates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(concise)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper left", ncols=5, frameon=False, fontsize="small")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()
    return f"<svg role=img aria-label='{html.escape(plot.title)}'" + svg[svg.index("<svg") + 4 :]


def _numbers(moments: Sequence[datetime]) -> Any:
    return dates.date2num(moments)  # type: ignore[no-untyped-call]


def _plot_events(axes: Axes, runs: Sequence[dict[str, Any]]) -> bool:
    streams = events_by_time(runs)
    newest = max((max(times) for times in streams.values() if times), default=None)
    if newest is None:
        return False
    hours = sorted(
        {hour for times in streams.values() for hour in times if newest - hour <= _RECENT}
    )
    bottom = [0] * len(hours)
    for number, (name, times) in enumerate(sorted(streams.items())):
        heights = [times[hour] for hour in hours]
        colour = _COLOURS[number % len(_COLOURS)]
        axes.bar(_numbers(hours), heights, 1 / 24, bottom=bottom, label=name, color=colour)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    return True


def _plot_records(axes: Axes, runs: Sequence[dict[str, Any]]) -> bool:
    timed = [(end, run) for run in runs if is_delivery(run) and (end := ended(run)) is not None]
    if not timed:
        return False
    times = _numbers([end for end, _ in timed])
    axes.plot(
        times,
        [total(run, "delivered") for _, run in timed],
        ".-",
        label="delivered",
        color=_COLOURS[0],
    )
    for number, reason in enumerate(
        sorted({reason for _, run in timed for reason in rejected(run)})
    ):
        counts = [rejected(run)[reason] for _, run in timed]
        colour = _COLOURS[1:][number % (len(_COLOURS) - 1)]
        axes.plot(times, counts, "x--", label=f"rejected: {reason}", color=colour)
    return True


def _plot_lag(axes: Axes, runs: Sequence[dict[str, Any]]) -> bool:
    points = [
        (end, age / _MINUTE)
        for run in runs
        if is_delivery(run) and (end := ended(run)) is not None and (age := lag(run)) is not None
    ]
    if not points:
        return False
    axes.plot(
        _numbers([end for end, _ in points]), [age for _, age in points], ".-", color=_COLOURS[0]
    )
    return True


def _plot_duration(axes: Axes, runs: Sequence[dict[str, Any]]) -> bool:
    for kind, marker, wanted in (("good", ".", True), ("failed", "x", False)):
        points = [
            (start, float(run.get("seconds") or 0))
            for run in runs
            if is_delivery(run) and is_good(run) is wanted and (start := parse(run.get("started")))
        ]
        if points:
            colour = _COLOURS[0] if wanted else _COLOURS[4]
            axes.plot(
                _numbers([start for start, _ in points]),
                [seconds for _, seconds in points],
                marker,
                label=kind,
                color=colour,
            )
    return bool(axes.lines)


def _plot_reconciliations(axes: Axes, runs: Sequence[dict[str, Any]]) -> bool:
    found = [
        (end, run["reconciliation"])
        for run in runs
        if isinstance(run.get("reconciliation"), dict) and (end := ended(run)) is not None
    ]
    for number, name in enumerate(("missing", "doubled") if found else ()):
        axes.plot(
            _numbers([end for end, _ in found]),
            [int(figures.get(name) or 0) for _, figures in found],
            "o-",
            label=name,
            color=_COLOURS[number],
        )
    return bool(found)


PLOTS = (
    Plot(
        "Events by the time they happened",
        "By hour and stream, the last two weeks; by day of a run that brought more than a week.",
        _plot_events,
    ),
    Plot("Delivered and rejected", "Records of each run.", _plot_records),
    Plot(
        "Lag",
        "How old the newest event of a run was when it ended, in minutes.",
        _plot_lag,
    ),
    Plot("Duration", "Seconds that each run took.", _plot_duration),
    Plot("Reconciliations", "Events missing and doubled in Amplitude.", _plot_reconciliations),
)
