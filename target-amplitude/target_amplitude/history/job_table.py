"""What is told of each run, and the runs of a job log as a table on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_amplitude.common.tables import table
from target_amplitude.common.text import fit
from target_amplitude.history.runs import NEVER, at, in_words, reasons_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_amplitude.history.runs import LoggedRun

COLUMNS: dict[str, Callable[[LoggedRun], str]] = {
    "Started": lambda run: "-" if run.started == NEVER else at(run.started).removesuffix(" UTC"),
    "State id": lambda run: run.state or "-",
    "Suffix": lambda run: run.suffix or "-",
    "Streams": lambda run: str(sum(bool(stream.get("read")) for stream in run.streams)),
    "Read": lambda run: f"{run.read:,}",
    "Delivered": lambda run: f"{run.delivered:,}",
    "Skipped": lambda run: f"{run.skipped:,}",
    "Rejected": lambda run: reasons_in_words(run.rejected) or "0",
    "Lag": lambda run: "-" if run.lag is None else in_words(run.lag),
    "Took": lambda run: f"{run.seconds:,.1f} s",
}

_NARROW = 100
"""Columns of a terminal below which only the most important figures are shown."""

BOLD: dict[str, Any] = {"bold": True}
_WIDE_TITLES = ("Started", "Streams", "Read", "Delivered", "Skipped", "Rejected", "Lag", "Took")
_NARROW_TITLES = ("Started", "Delivered", "Rejected")


def job_table(runs: Sequence[LoggedRun], *, width: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the lines of a table, each with the run's outcome that ends it, and its style."""
    is_narrow = width < _NARROW
    titles = _NARROW_TITLES if is_narrow else _WIDE_TITLES
    totals = {"Rejected": lambda run: f"{run.rejected.total():,}"} if is_narrow else {}
    columns = COLUMNS | totals
    rows = [titles, *([fit(columns[title](run)) for title in titles] for run in runs)]
    lines = table(rows, range(1, len(titles)))
    outcomes = [fit(_outcome(run)) for run in runs]
    styles = [{"fg": _colour(run)} for run in runs]
    return list(zip(lines, ["Outcome", *outcomes], [BOLD, *styles], strict=True))


def _outcome(run: LoggedRun) -> str:
    outcome = f"{'failed: ' if run.is_failed else ''}{run.outcome}"
    found = run.reconciliation
    if found is None:
        return outcome
    return f"{outcome} ({found['missing']:,} were missing, {found['too_early']:,} too early to say)"


def _colour(run: LoggedRun) -> str:
    delivered = "yellow" if run.rejected else "green"
    return {"failed": "red", "dry": "cyan"}.get(run.kind, delivered)
