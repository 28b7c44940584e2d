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


def test_a_start_date_before_what_the_state_covers_is_said_with_how_to_read_it() -> None:
    syncs = [sync_of("a", read_from=5_000), sync_of("b", read_from=5_000)]
    (warning,) = start_date_warnings(syncs, 4_999)
    assert "a, b, since the state begins at 1970-01-01T00:00:05.000Z" in warning
    assert "end_date 1970-01-01T00:00:04.999Z" in warning
    assert "--state-id-suffix" in warning


def test_streams_that_begin_at_different_times_are_told_apart() -> None:
    syncs = [sync_of("a", read_from=5_000), sync_of("b", read_from=9_000)]
    assert [warning.count("no effect on a") for warning in start_date_warnings(syncs, 1)] == [1, 0]


def test_a_state_without_its_beginning_is_said_to_be_one() -> None:
    (warning,) = start_date_warnings([sync_of("a")], 1)
    assert "does not say from when on a was read" in warning


def test_a_first_run_and_an_unmoved_start_date_are_nothing_to_warn_of() -> None:
    syncs = [sync_of("a", read_from=5_000), sync_of("b", resumed=False)]
    assert list(start_date_warnings(syncs, 5_000)) == []
