"""The runs of a job log as a table on a terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from target_amplitude.history.runs import (
    figure,
    is_delivery,
    is_good,
    lag,
    rejected,
    seconds,
    streams_of,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_NARROW = 100
"""Columns below which only the most important figures are shown."""


def print_table(runs: Sequence[dict[str, Any]], console: Console | None = None) -> None:
    """Print runs, coloured by outcome; a file or a pipe gets plain text of 140 columns."""
    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=140)
    console.print(make_table(runs, is_narrow=console.width < _NARROW))


def make_table(runs: Sequence[dict[str, Any]], *, is_narrow: bool) -> Table:
    """Return runs as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Started", no_wrap=True)
    if not is_narrow:
        table.add_column("Streams", justify="right")
        table.add_column("Read", justify="right")
    table.add_column("Delivered", justify="right")
    if not is_narrow:
        table.add_column("Skipped", justify="right")
    table.add_column("Rejected", justify="right")
    if not is_narrow:
        table.add_column("Lag", justify="right")
        table.add_column("Took", justify="right")
    table.add_column("Outcome")
    for run in runs:
        cells = [
            str(run.get("started", ""))[:16].replace("T", " "),
            str(sum(bool(stream.get("read")) for stream in streams_of(run))),
            f"{total(run, 'read'):,}",
            f"{total(run, 'delivered'):,}",
            f"{total(run, 'skipped'):,}",
            _rejected(run, is_narrow=is_narrow),
            _age(lag(run)),
            f"{seconds(run):,.1f} s",
        ]
        if is_narrow:
            cells = [cells[place] for place in (0, 3, 5)]
        table.add_row(*cells, Text(_outcome(run), style=_style(run)))
    return table


def _rejected(run: dict[str, Any], *, is_narrow: bool) -> str:
    reasons = rejected(run)
    if is_narrow:
        return f"{reasons.total():,}"
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.items()) or "0"


def _age(age: timedelta | None) -> str:
    if age is None:
        return "-"
    minutes = int(age / timedelta(minutes=1))
    if minutes < 120:  # noqa: PLR2004 - from then on nobody counts in minutes
        return f"{minutes} min"
    return f"{minutes // 60:,} h" if minutes < 2880 else f"{minutes // 1440:,} d"  # noqa: PLR2004


def _outcome(run: dict[str, Any]) -> str:
    outcome = str(run.get("outcome", ""))
    found = run.get("reconciliation")
    if isinstance(found, dict):
        return f"{outcome} ({int(figure(found.get('missing'))):,} were missing)"
    return outcome


def _style(run: dict[str, Any]) -> str:
    if is_good(run):
        return "yellow" if rejected(run) else "green"
    return "red" if is_delivery(run) or run.get("exit_code") else "cyan"
