"""The end of a run says what was read, and which setting has had no effect."""

from __future__ import annotations

from tap_hubspot_email_events.common.tables import names
from tap_hubspot_email_events.hubspot.client import RequestCount
from tap_hubspot_email_events.reading.bookmarks import Bookmark
from tap_hubspot_email_events.reading.digests import SentEvents
from tap_hubspot_email_events.reading.plan import Plan
from tap_hubspot_email_events.reading.stream_sync import StreamResult, StreamSync
from tap_hubspot_email_events.reading.summary import (
    start_date_warnings,
    table,
    totals,
)

RESULTS = [
    StreamResult("email_open", RequestCount(217, 3), 200_000, 1_760_000_000_000, read_whole=True),
    StreamResult("email_click", RequestCount(1), 7, 1_760_000_000_000),
    StreamResult("email_campaigns", RequestCount(12), 11),
]


def sync_of(name: str, *, resumed: bool = True, read_from: int | None = None) -> StreamSync:
    return StreamSync(
        name,
        event_type="OPEN",
        plan=Plan(1, 2, page_size=1),
        now=2,
        start=5_000,
        end=2,
        reached=1,
        sent=SentEvents([], since=0, bucket=1),
        known=Bookmark(2, 2, read_from) if resumed else None,
    )


def test_the_table_is_aligned() -> None:
    assert table(RESULTS) == [
        "stream           records  requests",
        "email_open       200,000       217",
        "email_click            7         1  read up to 2025-10-09T08:53:20.000Z",
        "email_campaigns       11        12  incomplete",
    ]
    assert table([]) == []


def test_the_totals_are_one_line() -> None:
    assert totals(RESULTS, RequestCount(1), 10.0) == (
        "Total: 200,018 records, 231 requests (3 retries), 2 of 3 streams incomplete; "
        "10.0 s, 20,002 events/s"
    )
    assert totals([], RequestCount(), 0.0).startswith(
        "Total: 0 records, 0 requests (0 retries); 0.0 s"
    )


def test_many_streams_are_not_all_named() -> None:
    assert names(["a", "b", "c"]) == "a, b, c"
    assert names(["a", "b", "c", "d"]) == "a, b and 2 more"


def test_a_start_date_without_effect_is_said_of_streams_that_begin_at_one_time() -> None:
    syncs = [sync_of(name, read_from=start) for name, start in (("a", 5_000), ("b", 5_000))]
    syncs += [sync_of("c", read_from=9_000), sync_of("d", resumed=False)]
    first, second = start_date_warnings(syncs, 4_999)
    assert "a, b, since the state begins at 1970-01-01T00:00:05.000Z" in first
    assert "end_date 1970-01-01T00:00:04.999Z" in first
    assert "--state-id-suffix" in first
    assert "no effect on c, since" in second
    assert len(list(start_date_warnings(syncs, 5_000))) == 1
