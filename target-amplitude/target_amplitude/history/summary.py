"""The end of a run in words: a table of its streams, its warnings, its totals."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from target_amplitude.common import tables
from target_amplitude.common.text import fit
from target_amplitude.history.runs import reasons_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.settings import Settings

_COLUMNS: dict[str, Callable[[StreamCounts], int]] = {
    "read": lambda counts: counts.read,
    "delivered": lambda counts: counts.delivered,
    "skipped": lambda counts: counts.skipped,
    "rejected": lambda counts: counts.rejected.total(),
    "left": lambda counts: counts.pending,
}
_MAX_NAME = 40

_HINTS = {
    "no user": "select recipient in the tap, or name a field that has a value in user_field",
    "invalid id": "see min_id_length, and what user_field names",
    "refused by Amplitude": "the file holds Amplitude's own words; see Data > Settings there",
    "refused by Amplitude's filter": "the event holds text that a firewall takes for an attack",
    "too large": "a single event must fit into one request",
}
"""What to do about a reason, where a user can do something."""


def table(streams: Iterable[StreamCounts], *, dry_run: bool) -> list[str]:
    """Return the lines of a table of streams, those without records left out."""
    rows = [
        (fit(counts.stream, _MAX_NAME), *(f"{of(counts):,}" for of in _COLUMNS.values()))
        for counts in streams
        if counts.read
    ]
    titles = ("stream", *(_title(column, dry_run=dry_run) for column in _COLUMNS))
    return tables.table([titles, *rows], range(1, len(titles))) if rows else []


def totals(streams: Sequence[StreamCounts], seconds: float, *, dry_run: bool) -> str:
    """Return the last line of a run; `seconds` is how long it took."""
    numbers = {column: sum(map(of, streams)) for column, of in _COLUMNS.items()}
    counted = ", ".join(
        f"{number:,} {_title(column, dry_run=dry_run)}" for column, number in numbers.items()
    )
    rate = numbers["delivered"] / seconds if seconds else 0.0
    return f"Total: {counted}; {seconds:.1f} s, {rate:,.0f} events/s"


def rejected_reasons(streams: Iterable[StreamCounts]) -> str:
    """Return the rejected records by reason, such as `3 invalid id, 1 no user`; empty for none."""
    return _most_common(counts.rejected for counts in streams)


def warnings(
    streams: Sequence[StreamCounts], settings: Settings, *, rejected_path: str | None
) -> list[str]:
    """Return what a user should know of a run that may have gone wrong unnoticed.

    `rejected_path` is None where rejects are not kept, as in a dry run.
    """
    return [
        warning
        for warning in (
            _warn_of_rejects(streams, rejected_path),
            _warn_of_user_field(streams, settings),
            _warn_of_unmapped(streams),
        )
        if warning
    ]


def _warn_of_rejects(streams: Sequence[StreamCounts], path: str | None) -> str:
    rejected = sum(counts.rejected.total() for counts in streams)
    if not rejected:
        return ""
    found = dict.fromkeys(reason for counts in streams for reason in counts.rejected)
    hints = [f"{reason}: {_HINTS[reason]}" for reason in found if reason in _HINTS]
    advice = f" {'; '.join(hints)}." if hints else ""
    if path is None:
        where = "a dry run keeps none of them."
    else:
        where = (
            f"they are in {path}. To load them again, move the file away and give it to the target "
            "as its input."
        )
    read = sum(counts.read for counts in streams)
    reasons = rejected_reasons(streams)
    return f"{rejected:,} of {read:,} records were rejected ({reasons}); {where}{advice}"


def _warn_of_user_field(streams: Sequence[StreamCounts], settings: Settings) -> str:
    emails = [counts for counts in streams if counts.has_emails]
    searched = sum(counts.events + counts.skipped + counts.rejected["no user"] for counts in emails)
    matched = sum(counts.events - counts.fell_back for counts in emails)
    unusable = sum(counts.unusable_ids.total() for counts in emails)
    field = settings.user_field
    if unusable:
        seen = _most_common(counts.unusable_ids for counts in emails)
        fate = {"skip": "were skipped", "recipient": "count as the recipient's"}
        read = sum(counts.read - counts.rejected["no mapping"] for counts in emails)
        return (
            f"user_field {field} holds something that is not a usable id in {unusable:,} of "
            f"{read:,} email events ({seen}), which {fate[settings.unknown_users]} "
            "(unknown_users); an id is text or a whole number."
        )
    if field == "recipient" or matched or not searched:
        return ""
    return (
        f"user_field {field} has a value in none of {searched:,} email events; check its "
        "spelling, and whether the tap reads it (contact_properties) and selects it."
    )


def _warn_of_unmapped(streams: Sequence[StreamCounts]) -> str:
    read = sum(counts.read for counts in streams)
    unmapped = sum(counts.rejected["no mapping"] for counts in streams)
    if not read or unmapped < read:
        return ""
    return (
        "No record of this run has a mapping to an event, so nothing was delivered; an email event "
        "needs id, created, type and portalId or recipient selected in the tap, any other record "
        "event_type and user_id from stream_maps."
    )


def undelivered_emails(streams: Iterable[StreamCounts]) -> int:
    """Return how many email events should have been delivered, where none of them was."""
    emails = [counts for counts in streams if counts.has_emails]
    if any(counts.delivered for counts in emails):
        return 0
    return sum(
        counts.read - counts.skipped - (counts.rejected.total() - counts.rejected_counted)
        for counts in emails
    )


def _most_common(found: Iterable[Counter[str]]) -> str:
    return reasons_in_words(dict(sum(found, start=Counter[str]()).most_common()))


def _title(column: str, *, dry_run: bool) -> str:
    return "deliverable" if dry_run and column == "delivered" else column
