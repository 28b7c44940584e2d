"""The figures of a reconciliation in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_amplitude.common import tables
from target_amplitude.history.runs import at, reasons_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from target_amplitude.reconcile.comparison import Balance

_COLUMNS = {
    "HubSpot": "hubspot",
    "Amplitude": "amplitude",
    "missing": "missing",
    "too early": "too_early",
    "doubled": "doubled",
    "other source": "other_source",
    "only there": "only_in_amplitude",
}
"""The titles of the table, and the figures below them."""


def table(balances: Mapping[str, Balance], total: Balance) -> list[str]:
    """Return the lines of a table, one for each event type and one for all."""
    if not balances:
        return []
    rows = [
        (name, *(f"{getattr(balance, figure):,}" for figure in _COLUMNS.values()))
        for name, balance in (*balances.items(), ("all", total))
    ]
    return tables.table([("reconciled", *_COLUMNS), *rows], range(1, len(_COLUMNS) + 1))


def remarks(total: Balance, exportable_until: datetime, left_out: str) -> list[str]:
    """Return what explains the figures; `left_out` are the records without an event, by reason."""
    said = []
    if total.too_early:
        nothing = "Nothing can be said yet: " if says_nothing(total) else ""
        said.append(
            f"{nothing}{total.too_early:,} events happened or were delivered after "
            f"{at(exportable_until)}, so it is too early to say; "
            "Amplitude may not export them before three hours have passed."
        )
    if total.missing:
        said.append(
            f"What Amplitude received after {at(exportable_until)} counts as missing where "
            "job_log_path has no line of its run: one that was killed or still goes on."
        )
    if total.other_source:
        said.append(
            f"{total.other_source:,} events of HubSpot's were brought by another source, such as "
            "Amplitude's own: same type, user and time, another insert_id."
        )
    if total.only_in_amplitude:
        said.append(
            f"{total.only_in_amplitude:,} events of these types and times are only in Amplitude: "
            "deleted in HubSpot since, or sent under another user or by other settings."
        )
    if total.other_portal:
        said.append(f"{total.other_portal:,} events in Amplitude are of another HubSpot account.")
    if left_out:
        said.append(f"Not expected in Amplitude, as they become no event: {left_out}.")
    return said


def says_nothing(total: Balance) -> bool:
    """Whether events were read and it is too early to say anything of any of them."""
    return 0 < total.hubspot == total.too_early


def warnings(total: Balance, unreadable: Mapping[str, int]) -> list[str]:
    """Return what is wrong in Amplitude and cannot be mended from here.

    `unreadable` are the lines of the export that are no events, by what is wrong with them.
    """
    said = []
    if total.doubled:
        said.append(
            f"{total.doubled:,} copies too many are in Amplitude: sent again after seven days or "
            "for another user, or brought by another source as well."
        )
    if unreadable:
        said.append(
            f"{sum(unreadable.values()):,} line(s) of Amplitude's export could not be read "
            f"({reasons_in_words(unreadable)}); an event of ours in one of them counts as missing."
        )
    return said
