"""The figures of a reconciliation in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_amplitude.common import tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from target_amplitude.reconcile.comparison import Balance

_TITLES = ("HubSpot", "Amplitude", "missing", "doubled", "other source", "only there")


def table(balances: Mapping[str, Balance], total: Balance) -> list[str]:
    """Return the lines of a table, one for each event type and one for all."""
    if not balances:
        return []
    rows = [
        (
            name,
            *(
                f"{figure:,}"
                for figure in (
                    balance.hubspot,
                    balance.amplitude,
                    balance.missing,
                    balance.doubled,
                    balance.other_source,
                    balance.only_in_amplitude,
                )
            ),
        )
        for name, balance in (*balances.items(), ("all", total))
    ]
    titles = ("reconciled", *_TITLES)
    return tables.table([titles, *rows], range(1, len(titles)))


def remarks(total: Balance, exportable_until: datetime, left_out: str) -> list[str]:
    """Return what explains the figures; `left_out` are the records without an event, by reason."""
    said = []
    if total.too_early:
        said.append(
            f"{total.too_early:,} events happened after {exportable_until:%Y-%m-%d %H:%M} UTC, so "
            "it is too early to say: Amplitude may not export them yet."
        )
    if total.missing:
        said.append(
            f"What Amplitude received after {exportable_until:%Y-%m-%d %H:%M} UTC may not be "
            "exported yet and counts as missing, where the event itself is older."
        )
    if total.other_source:
        said.append(
            f"{total.other_source:,} events of HubSpot's were brought by another source, such as "
            "Amplitude's own: same type, user and time, another insert_id."
        )
    if total.doubled:
        said.append(
            f"{total.doubled:,} copies too many are in Amplitude: sent again after seven days or "
            "for another user, or brought by another source as well."
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
