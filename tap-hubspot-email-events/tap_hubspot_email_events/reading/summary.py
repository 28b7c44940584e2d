"""The end of a run in words: a table of its streams, its warnings, its totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_hubspot_email_events.common import tables
from tap_hubspot_email_events.common.tables import names
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_hubspot_email_events.hubspot.client import RequestCount
    from tap_hubspot_email_events.reading.stream_sync import StreamResult, StreamSync

CLOCK_MINUTES = 2 * 60_000


def table(results: Sequence[StreamResult]) -> list[str]:
    """The lines of a table of streams; empty if there are none.

    It is narrow, because Meltano puts 65 characters before each line.
    """
    if not results:
        return []
    has_dropped = any(result.dropped for result in results)
    dropped = ["dropped"] if has_dropped else []
    titles = ("stream", "records", *dropped, "requests", "")
    rows = [_cells(result, has_dropped=has_dropped) for result in results]
    return tables.table([titles, *rows], range(1, len(titles) - 1))


def _cells(result: StreamResult, *, has_dropped: bool) -> tuple[str, ...]:
    numbers = [result.written, result.count.requests]
    if has_dropped:
        numbers.insert(1, result.dropped)
    end = ""
    if not result.read_whole:
        end = "incomplete"
        if result.reached is not None:
            end = f"read up to {format_timestamp(result.reached)}"
    return result.name, *(f"{number:,}" for number in numbers), end


def totals(results: Sequence[StreamResult], others: RequestCount, seconds: float) -> str:
    """The last line of a run that took `seconds`, and `others` beside the streams' requests."""
    records = sum(result.written for result in results)
    dropped = sum(result.dropped for result in results)
    counts = [others, *(result.count for result in results)]
    requests = sum(count.requests for count in counts)
    retried = sum(count.retried for count in counts)
    repeated = sum(result.repeated for result in results)
    incomplete = sum(not result.read_whole for result in results)
    rate = (records + dropped) / seconds if seconds else 0.0
    return (
        f"Total: {records:,} records"
        + (f", {dropped:,} dropped by stream maps" if dropped else "")
        + (f" (and {repeated:,} that were sent before)" if repeated else "")
        + f", {requests:,} requests ({retried:,} retries)"
        + (f", {incomplete} of {len(results)} streams incomplete" if incomplete else "")
        + f"; {seconds:.1f} s, {rate:,.0f} events/s"
    )


def clock_warnings(ahead: int) -> Iterator[str]:
    """What to say where this machine's clock is `ahead` of HubSpot's, in ms; behind if negative."""
    if abs(ahead) < CLOCK_MINUTES:
        return
    minutes = round(abs(ahead) / 60_000)
    if ahead > 0:
        yield (
            f"This machine's clock is {minutes:,} minutes ahead of HubSpot's; the run has gone by "
            "HubSpot's, so no event is lost. Set the clock."
        )
    else:
        yield (
            f"This machine's clock is {minutes:,} minutes behind HubSpot's, so events of these "
            "minutes are read by a later run. Set the clock."
        )


def future_warnings(syncs: Iterable[StreamSync]) -> Iterator[str]:
    """What to say where the state had bookmarks later than the run's start."""
    late = [sync.name for sync in syncs if sync.known_in_future]
    if late:
        yield (
            f"The bookmark of {names(late)} lay in the future, so it counted as the start of this "
            "run less lookback_minutes. If it stood there for long, read the time since then again "
            "(start_date, and a state id of its own: meltano run --state-id-suffix again ...)."
        )


def start_date_warnings(syncs: Iterable[StreamSync], start_date: int) -> Iterator[str]:
    """What to say where `start_date`, in milliseconds, lies before what a state covers."""
    covered: dict[int | None, list[str]] = {}
    for sync in syncs:
        first = sync.read_from
        if sync.known is not None and (first is None or start_date < first):
            covered.setdefault(first, []).append(sync.name)
    for first, streams in covered.items():
        if first is None:
            yield (
                f"The state does not say from when on {names(streams)} was read; start_date has no "
                "effect on what lies before its bookmark. To read that, run once with end_date and "
                "a state id of its own (meltano run --state-id-suffix older ...)."
            )
        else:
            yield (
                f"start_date has no effect on {names(streams)}, since the state begins at "
                f"{format_timestamp(first)}. To read what is older, run once with end_date "
                f"{format_timestamp(first - 1)} and a state id of its own (meltano run "
                "--state-id-suffix older ...)."
            )
