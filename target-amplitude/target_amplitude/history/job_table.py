"""What is told of each run, and the runs of a job log as a table on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_amplitude.common.tables import table
from target_amplitude.common.text import fit
from target_amplitude.history.runs import (
    NEVER,
    at,
    figure,
    is_delivery,
    is_failed,
    lag,
    reasons_in_words,
    rejected,
    seconds,
    started,
    state_of,
    streams_of,
    total,
)
from target_amplitude.history.verdict import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLUMNS: dict[str, Callable[[dict[str, Any]], str]] = {
    "Started": lambda run: "-" if started(run) == NEVER else at(started(run)).removesuffix(" UTC"),
    "State id": lambda run: state_of(run)[0] or "-",
    "Suffix": lambda run: state_of(run)[1] or "-",
    "Streams": lambda run: str(sum(bool(stream.get("read")) for stream in streams_of(run))),
    "Read": lambda run: f"{total(run, 'read'):,}",
    "Delivered": lambda run: f"{total(run, 'delivered'):,}",
    "Skipped": lambda run: f"{total(run, 'skipped'):,}",
    "Rejected": lambda run: reasons_in_words(rejected(run)) or "0",
    "Lag": lambda run: "-" if (age := lag(run)) is None else in_words(age),
    "Took": lambda run: f"{seconds(run):,.1f} s",
}

_NARROW = 100
"""Columns of a terminal below which only the most important figures are shown."""

BOLD: dict[str, Any] = {"bold": True}
_WIDE_TITLES = ("Started", "Streams", "Read", "Delivered", "Skipped", "Rejected", "Lag", "Took")
_NARROW_TITLES = ("Started", "Delivered", "Rejected")


def job_table(
    runs: Sequence[dict[str, Any]], *, width: int
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the lines of a table, each with the run's outcome that ends it, and its style."""
    is_narrow = width < _NARROW
    titles = _NARROW_TITLES if is_narrow else _WIDE_TITLES
    totals = {"Rejected": lambda run: f"{rejected(run).total():,}"} if is_narrow else {}
    columns = COLUMNS | totals
    rows = [titles, *([fit(columns[title](run)) for title in titles] for run in runs)]
    lines = table(rows, range(1, len(titles)))
    outcomes = [fit(_outcome(run)) for run in runs]
    styles = [{"fg": _colour(run)} for run in runs]
    return list(zip(lines, ["Outcome", *outcomes], [BOLD, *styles], strict=True))


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
