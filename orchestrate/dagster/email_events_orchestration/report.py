"""What became of each month of a backfill, as a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from email_events_orchestration.configuration import Account
    from email_events_orchestration.months import Month

FIGURES = ("events_read", "events_delivered", "events_rejected", "seconds")
HEADER = ("account", "month", "read", "delivered", "rejected", "seconds", "outcome")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step ended with: its figures, in the order of FIGURES, unless it failed."""

    text: str
    figures: tuple[float, ...] = ()

    @property
    def loaded(self) -> bool:
        """Whether the month is loaded."""
        return bool(self.figures)


ALREADY_LOADED = Outcome("already loaded (--again reads it anew)")
NOT_LOADED = Outcome("stopped before its end; the same command goes on from there")


def table(
    accounts: Sequence[Account],
    months: Sequence[Month],
    wanted: Mapping[str, Sequence[Month]],
    outcomes: Mapping[str, Outcome],
) -> str:
    """A line for each account and month, and one of totals."""
    rows = []
    totals = [0.0] * len(FIGURES)
    for account in accounts:
        for month in months:
            if month in wanted[account.name]:
                outcome = outcomes.get(f"{account.steps}[{month.mapping_key}]", NOT_LOADED)
            else:
                outcome = ALREADY_LOADED
            rows.append((account.name, month.name, *_cells(outcome.figures), outcome.text))
            if outcome.loaded:
                totals = [total + one for total, one in zip(totals, outcome.figures, strict=True)]
    loaded = sum(outcome.loaded for outcome in outcomes.values())
    planned = sum(len(months) for months in wanted.values())
    rows.append(("all", "", *_cells(totals), f"{loaded} of {planned} loaded"))
    widths = [max(map(len, column)) for column in zip(HEADER, *rows, strict=True)]
    return "\n".join(_line(row, widths) for row in (HEADER, *rows))


def _cells(figures: Sequence[float]) -> tuple[str, ...]:
    if not figures:
        return ("",) * len(FIGURES)
    *counts, seconds = figures
    return (*(f"{count:,.0f}" for count in counts), f"{seconds:,.1f}")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    account, month, *figures, outcome = row
    names = f"{account:{widths[0]}}  {month:{widths[1]}}"
    right = "  ".join(f"{cell:>{width}}" for cell, width in zip(figures, widths[2:], strict=False))
    return f"{names}  {right}  {outcome}"
