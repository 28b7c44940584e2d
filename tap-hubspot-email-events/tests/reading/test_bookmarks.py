"""A run begins where nothing can be missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.errors import ConfigError
from tap_hubspot_email_events.reading.bookmarks import (
    Bookmark,
    aligned,
    first_instant,
    read_bookmark,
    read_digests,
    read_misplaced,
    write_bookmark,
    write_digests,
)
from tap_hubspot_email_events.reading.digests import WindowDigest, encode
from tap_hubspot_email_events.timestamps import EARLIEST, parse_timestamp

MINUTE = 60_000
LOOKBACK = 120 * MINUTE
INSTANTS = ("replication_key_value", "run_started_at", "read_from")
instants = st.integers(EARLIEST, 2_000_000_000_000)


@given(instants, st.none() | instants, st.none() | instants, st.none() | st.integers())
def test_a_bookmark_is_read_as_it_was_written(
    end: int, started: int | None, read_from: int | None, portal_id: int | None
) -> None:
    state: dict[str, Any] = {}
    write_bookmark(state, Bookmark(end, started, read_from, portal_id), "created")
    assert read_bookmark("email_open", state) == Bookmark(end, started, read_from, portal_id)
    assert state["replication_key"] == "created"


def test_a_bookmark_is_written_as_dates() -> None:
    state: dict[str, Any] = {}
    write_bookmark(state, Bookmark(1_760_000_000_000, 1_760_000_000_001, 1, 4711), "created")
    assert state == {
        "replication_key": "created",
        "replication_key_value": "2025-10-09T08:53:20.000Z",
        "run_started_at": "2025-10-09T08:53:20.001Z",
        "read_from": "1970-01-01T00:00:00.001Z",
        "portal_id": 4711,
    }


def test_a_stream_without_a_bookmark_has_none() -> None:
    assert read_bookmark("email_open", {}) is None
    assert read_bookmark("email_open", {"run_started_at": "2025-10-09T08:53:20Z"}) is None


def test_a_killed_backfill_goes_on_right_after_its_last_finished_part() -> None:
    assert Bookmark(LOOKBACK, 10 * LOOKBACK).next_start(LOOKBACK) == LOOKBACK + 1


def test_without_the_start_of_the_run_the_lookback_counts_from_the_bookmark() -> None:
    bookmark = read_bookmark("x", {"replication_key_value": "2020-01-02T00:00:00Z"})
    assert bookmark is not None
    assert bookmark.next_start(LOOKBACK) == parse_timestamp("2020-01-01T22:00:00Z")


@given(instants, instants, st.integers(0, 10 * LOOKBACK))
def test_no_event_that_may_still_appear_is_left_out(end: int, run: int, lookback: int) -> None:
    start = Bookmark(end, run).next_start(lookback)
    assert start <= end + 1
    assert start <= run - lookback


@pytest.mark.parametrize(
    "value", [1_760_000_000_000, "2025-10-09T08:53:20+00:00", "2025-10-09T08:53:20"]
)
def test_bookmarks_of_other_writers_are_understood(value: Any) -> None:
    bookmark = read_bookmark("email_open", {"replication_key_value": value})
    assert bookmark is not None
    assert bookmark.end == 1_760_000_000_000


@pytest.mark.parametrize("odd", ["4711", 4711.0, True, None, []])
def test_an_account_that_is_no_number_is_none(odd: Any) -> None:
    state = {"replication_key_value": "2025-10-09T08:53:20Z", "portal_id": odd}
    bookmark = read_bookmark("email_open", state)
    assert bookmark is not None
    assert bookmark.portal_id is None


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize("value", ["soon", "", [], True, 1.5, 10**20, "9999-99-99T00:00:00Z"])
def test_a_time_that_is_no_date_is_refused_with_what_to_do(name: str, value: Any) -> None:
    state = {"replication_key_value": "2025-10-09T08:53:20Z", name: value}
    with pytest.raises(ConfigError) as caught:
        read_bookmark("email_open", state)
    assert str(caught.value) == (
        "The state's bookmark of stream email_open is no RFC 3339 date; correct it, or remove the "
        "stream's entry to read it again from `start_date`."
    )


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize("value", [1_760_000_000, 0, -1, -(10**10), EARLIEST - 1])
def test_a_time_before_the_year_2000_is_refused_by_name(name: str, value: int) -> None:
    state = {"replication_key_value": "2025-10-09T08:53:20Z", name: value}
    with pytest.raises(ConfigError) as caught:
        read_bookmark("email_open", state)
    assert str(caught.value) == (
        "The state's bookmark of stream email_open lies before the year 2000, as a number of "
        "seconds does instead of milliseconds; correct it, or remove the stream's entry to read "
        "it again from `start_date`."
    )


def test_a_first_run_from_before_the_year_2000_is_none_of_these() -> None:
    state = {
        "replication_key_value": "2025-10-09T08:53:20Z",
        "read_from": "1970-01-01T00:00:00.001Z",
    }
    assert read_bookmark("email_open", state) == Bookmark(1_760_000_000_000, None, EARLIEST)


@pytest.mark.parametrize(
    ("bookmark", "then"),
    [
        (Bookmark(9, 8, 1), Bookmark(9, 8, 1)),
        (Bookmark(10, 99, 1), Bookmark(10, 99, 1)),
        (Bookmark(11, None, 1), Bookmark(10, 10, 1)),
        (Bookmark(11, 7, None), Bookmark(10, 7, None)),
        (Bookmark(11, 11, 2, 4711), Bookmark(10, 10, 2, 4711)),
    ],
)
def test_a_bookmark_in_the_future_counts_as_now(bookmark: Bookmark, then: Bookmark) -> None:
    assert bookmark.no_later_than(10) == then
    assert bookmark.is_after(10) == (bookmark.end > 10)


DIGESTS = [WindowDigest(100, 149, 3, 7), WindowDigest(150, 199, 1, 9), WindowDigest(200, 300, 0, 0)]


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_misplaced_events_are_remembered_beside_the_digests(hashes: list[int]) -> None:
    state: dict[str, Any] = {}
    write_digests(state, DIGESTS, hashes)
    assert read_misplaced(state) == hashes
    assert read_digests(state, Bookmark(300, 300)) == DIGESTS
    write_digests(state, DIGESTS)
    assert read_misplaced(state) == []


@pytest.mark.parametrize("odd", [None, 5, "x", "????", "AAAA", "AAAAAAAAAAAA", []])
def test_what_is_no_list_of_misplaced_events_is_none(odd: Any) -> None:
    assert read_misplaced({"sent": {"misplaced": odd}}) == []
    assert read_misplaced({"sent": odd}) == []


def test_what_left_the_tap_is_read_as_it_was_written() -> None:
    state: dict[str, Any] = {}
    write_digests(state, DIGESTS)
    assert state["sent"]["from"] == "1970-01-01T00:00:00.100Z"
    assert state["sent"]["to"] == "1970-01-01T00:00:00.300Z"
    assert read_digests(state, Bookmark(300, 300)) == DIGESTS
    write_digests(state, [])
    assert state == {}
    write_digests(state, [])
    assert read_digests(state, Bookmark(300, 300)) == []


@pytest.mark.parametrize("bookmark", [None, Bookmark(299, 300), Bookmark(301, 300)])
def test_it_counts_only_with_the_bookmark_written_with_it(bookmark: Bookmark | None) -> None:
    state: dict[str, Any] = {}
    write_digests(state, DIGESTS)
    assert read_digests(state, bookmark) == []


@pytest.mark.parametrize(
    "edited",
    [
        {"from": None},
        {"to": None},
        {"from": "soon"},
        {"to": "1970-01-01T00:00:00.299Z"},
        {"from": "1970-01-01T00:00:00.101Z"},
        {"stretches": None},
        {"stretches": 5},
        {"stretches": "????"},
        {"stretches": "AAA"},
        {"stretches": ""},
        {"stretches": encode(DIGESTS)[:-4]},
        {"stretches": f"!{encode(DIGESTS)}"},
    ],
)
def test_a_state_that_was_edited_leaves_nothing_out(edited: dict[str, Any]) -> None:
    state: dict[str, Any] = {}
    write_digests(state, DIGESTS)
    state["sent"] |= edited
    assert read_digests(state, Bookmark(300, 300)) == []
    for name in edited:
        state["sent"].pop(name)
    assert read_digests(state, Bookmark(300, 300)) == []


@pytest.mark.parametrize(
    ("at", "earliest", "start"),
    [
        (99, None, 99),
        (100, None, 100),
        (149, None, 100),
        (150, None, 150),
        (300, None, 200),
        (301, None, 301),
        (149, 100, 100),
        (149, 101, 149),
    ],
)
def test_a_run_starts_where_a_known_window_is_read_whole(
    at: int, earliest: int | None, start: int
) -> None:
    assert aligned(at, DIGESTS, earliest) == start


def test_at_the_epoch_a_window_is_read_whole_too() -> None:
    assert aligned(5, [WindowDigest(0, 9, 1, 1)], None) == 0


def start(bookmark: Bookmark | None, start_date: int | None) -> int:
    """Where a run starts, all instants counted from the first that can be."""
    settings: Any = SimpleNamespace(
        start=None if start_date is None else EARLIEST + start_date, lookback=LOOKBACK
    )
    if bookmark is not None and bookmark.run_started_at is not None:
        bookmark = Bookmark(EARLIEST + bookmark.end, EARLIEST + bookmark.run_started_at)
    return first_instant(settings, bookmark, EARLIEST + 100 * 24 * 60 * MINUTE) - EARLIEST


def test_without_bookmark_and_start_date_thirty_days_are_read() -> None:
    assert start(None, None) == 70 * 24 * 60 * MINUTE


def test_nothing_before_the_year_2000_is_asked_for() -> None:
    assert start(None, -1) == 0
    assert start(Bookmark(5, 5), None) == 0


def test_looking_back_stops_at_the_start_date_but_never_skips_a_gap() -> None:
    bookmark = Bookmark(10 * LOOKBACK, 10 * LOOKBACK)
    assert start(bookmark, 9 * LOOKBACK + 5) == 9 * LOOKBACK + 5
    assert start(bookmark, 50 * LOOKBACK) == 10 * LOOKBACK + 1
    assert start(bookmark, 5) == 9 * LOOKBACK
