"""Tables and lists in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .text import LONGEST_LINE, fit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_MOST_NAMES = 3


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Return the lines of a table; cells of the columns `right` end at the right."""
    rows = [tuple(fit(cell, LONGEST_LINE) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def names(of: Iterable[str]) -> str:
    """Return some names, such as `email_open, email_click and 8 more`."""
    listed = list(map(fit, of))
    if len(listed) <= _MOST_NAMES:
        return ", ".join(listed)
    return f"{', '.join(listed[: _MOST_NAMES - 1])} and {len(listed) - _MOST_NAMES + 1} more"
