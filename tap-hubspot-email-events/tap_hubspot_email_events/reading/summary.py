"""The end of a run in words: a table of its streams, its warnings, its totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_hubspot_email_events.hubspot.request_count import RequestCount
    from tap_hubspot_email_events.reading.stream_sync import StreamSync

_TITLES = ("stream", "records", "requests", "")
_NUMBERS = (1, 2)
_MOST_NAMES = 3


@dataclass(slots=True)
class StreamResult:
    """What was read of one stream; `reached` in milliseconds, None where it has no bookmark."""

    stream: str
    count: RequestCount
    records: int = 0
    reached: int | None = None
    complete: bool = False


def result_of(sync: StreamSync) -> StreamResult:
    """The result of an event stream."""
    return StreamResult(sync.name, sync.count, sync.written, sync.reached, sync.complete)


def table(results: Sequence[StreamResult]) -> list[str]:
    """The lines of a table of streams; empty if there are none.

    It is narrow, because Meltano puts 65 characters before each line.
    """
    if not results:
        return []
    rows = [_TITLES, *map(_cells, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in _NUMBERS else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _cells(result: StreamResult) -> tuple[str, ...]:
    end = ""
    if not result.complete:
        end = "incomplete"
        if result.reached is not None:
            end = f"read up to {format_timestamp(result.reached)}"
    return result.stream, f"{result.records:,}", f"{result.count.requests:,}", end


def totals(results: Sequence[StreamResult], seconds: float) -> str:
    """The last line of a run that took `seconds`."""
    records = sum(result.records for result in results)
    requests = sum(result.count.requests for result in results)
    retried = sum(result.count.retried for result in results)
    incomplete = sum(not result.complete for result in results)
    rate = records / seconds if seconds else 0.0
    return (
        f"Total: {records:,} records, {requests:,} requests ({retried:,} retries)"
        + (f", {incomplete} of {len(results)} streams incomplete" if incomplete else "")
        + f"; {seconds:.1f} s, {rate:,.0f} events/s"
    )


def names(streams: Iterable[str]) -> str:
    """Some streams' names, such as `email_open, email_click and 8 more`."""
    listed = list(streams)
    if len(listed) <= _MOST_NAMES:
        return ", ".join(listed)
    return f"{', '.join(listed[: _MOST_NAMES - 1])} and {len(listed) - _MOST_NAMES + 1} more"


def start_date_warnings(syncs: Iterable[StreamSync], start_date: int) -> Iterator[str]:
    """What to say where `start_date`, in milliseconds, lies before what a state covers."""
    covered: dict[int | None, list[str]] = {}
    for sync in syncs:
        if sync.resumed and (sync.read_from is None or start_date < sync.read_from):
            covered.setdefault(sync.read_from, []).append(sync.name)
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
