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
    first_instant,
    read_bookmark,
    write_bookmark,
)

MINUTE = 60_000
LOOKBACK = 120 * MINUTE
instants = st.integers(0, 2_000_000_000_000)


@given(instants, instants)
def test_a_bookmark_is_read_as_it_was_written(end: int, started: int) -> None:
    state: dict[str, Any] = {}
    write_bookmark(state, Bookmark(end, started), "created")
    assert read_bookmark("email_open", state) == Bookmark(end, started)
    assert state["replication_key"] == "created"


def test_after_a_whole_run_the_next_one_looks_back_from_its_start() -> None:
    assert Bookmark(10 * LOOKBACK, 10 * LOOKBACK).next_start(LOOKBACK) == 9 * LOOKBACK


def test_a_killed_backfill_goes_on_right_after_its_last_finished_part() -> None:
    assert Bookmark(LOOKBACK, 10 * LOOKBACK).next_start(LOOKBACK) == LOOKBACK + 1


def test_without_the_start_of_the_run_the_lookback_counts_from_the_bookmark() -> None:
    bookmark = read_bookmark("x", {"replication_key_value": "1970-01-02T00:00:00Z"})
    assert bookmark is not None
    assert bookmark.next_start(LOOKBACK) == 22 * 60 * MINUTE


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


@pytest.mark.parametrize("value", ["soon", "", [], {}, True, 1.5])
def test_a_bookmark_that_is_no_date_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ConfigError, match="email_open"):
        read_bookmark("email_open", {"replication_key_value": value})


def start(bookmark: Bookmark | None, start_date: int | None) -> int:
    settings: Any = SimpleNamespace(start=start_date, lookback=LOOKBACK)
    return first_instant(settings, bookmark, 100 * 24 * 60 * MINUTE)


def test_without_bookmark_and_start_date_thirty_days_are_read() -> None:
    assert start(None, None) == 70 * 24 * 60 * MINUTE


def test_the_epoch_itself_is_never_asked_for() -> None:
    assert start(None, 0) == 1
    assert start(Bookmark(5, 5), None) == 1


def test_looking_back_stops_at_the_start_date_but_never_skips_a_gap() -> None:
    bookmark = Bookmark(10 * LOOKBACK, 10 * LOOKBACK)
    assert start(bookmark, 9 * LOOKBACK + 5) == 9 * LOOKBACK + 5
    assert start(bookmark, 50 * LOOKBACK) == 10 * LOOKBACK + 1
