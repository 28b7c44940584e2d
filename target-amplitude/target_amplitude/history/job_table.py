"""The runs of a job log as a table on a terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from target_amplitude.common.tables import table
from target_amplitude.common.text import fit
from target_amplitude.history.runs import (
    figure,
    is_delivery,
    is_failed,
    lag,
    rejected,
    seconds,
    streams_of,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_NARROW = 100
"""Columns of a terminal below which only the most important figures are shown."""

BOLD: dict[str, Any] = {"bold": True}
_TITLES = ("Started", "Streams", "Read", "Delivered", "Skipped", "Rejected", "Lag", "Took")
_MOST_IMPORTANT = (0, 3, 5)


def job_table(
    runs: Sequence[dict[str, Any]], *, width: int
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the lines of a table, each with the run's outcome that ends it, and its style."""
    rows = [_TITLES, *(_cells(run, is_narrow=width < _NARROW) for run in runs)]
    if width < _NARROW:
        rows = [tuple(row[place] for place in _MOST_IMPORTANT) for row in rows]
    lines = table(rows, range(1, len(rows[0])))
    outcomes = [fit(_outcome(run)) for run in runs]
    styles = [{"fg": _colour(run)} for run in runs]
    return list(zip(lines, ["Outcome", *outcomes], [BOLD, *styles], strict=True))


def _cells(run: dict[str, Any], *, is_narrow: bool) -> tuple[str, ...]:
    return (
        fit(run.get("started", ""))[:16].replace("T", " "),
        str(sum(bool(stream.get("read")) for stream in streams_of(run))),
        f"{total(run, 'read'):,}",
        f"{total(run, 'delivered'):,}",
        f"{total(run, 'skipped'):,}",
        _rejected(run, is_narrow=is_narrow),
        _age(lag(run)),
        f"{seconds(run):,.1f} s",
    )


def _rejected(run: dict[str, Any], *, is_narrow: bool) -> str:
    reasons = rejected(run)
    if is_narrow:
        return f"{reasons.total():,}"
    return fit(", ".join(f"{count:,} {reason}" for reason, count in reasons.items()) or "0")


def _age(age: timedelta | None) -> str:
    if age is None:
        return "-"
    minutes = int(age / timedelta(minutes=1))
    if minutes < 120:  # noqa: PLR2004 - from then on nobody counts in minutes
        return f"{minutes} min"
    return f"{minutes // 60:,} h" if minutes < 2880 else f"{minutes // 1440:,} d"  # noqa: PLR2004


def _outcome(run: dict[str, Any]) -> str:
    outcome = f"{'failed: ' if is_failed(run) else ''}{run.get('outcome', '')}"
    found = run.get("reconciliation")
    if isinstance(found, dict):
        missing, early = (int(figure(found.get(name))) for name in ("missing", "too_early"))
        return f"{outcome} ({missing:,} were missing, {early:,} too early to say)"
    return outcome


def _colour(run: dict[str, Any]) -> str:
    if is_failed(run):
        return "red"
    if not is_delivery(run):
        return "cyan"
    return "yellow" if rejected(run) else "green"
