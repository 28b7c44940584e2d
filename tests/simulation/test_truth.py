"""The checks of the simulation notice what they are there for."""

from __future__ import annotations

from typing import Any

from sandbox.scenarios.steady import Moment
from simulation.truth import Truth, moved_back
from tap_hubspot_email_events.reading.bookmarks import Bookmark, write_bookmark, write_digests
from tap_hubspot_email_events.reading.digests import WindowDigest, event_hash

HOUR = 3_600_000
NOON = 1_800_000_000_000
STREAM = "email_open"


def state(end: int, digests: list[WindowDigest] | None = None) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    write_bookmark(entry, Bookmark(end, end, 0), "created")
    write_digests(entry, digests or [])
    return {"bookmarks": {STREAM: entry}}


def truth(*created: int) -> Truth:
    found = Truth()
    found.add([Moment(at, f"e{at}", "OPEN", at / 1000) for at in created])
    return found


def test_an_event_behind_the_next_start_has_to_be_somewhere() -> None:
    old, recent = NOON - 3 * HOUR, NOON - HOUR
    holds = truth(old, recent)
    assert len(list(holds.covered_but_nowhere(state(NOON), NOON))) == 1
    holds.arrive([f"e{old}"])
    assert not list(holds.covered_but_nowhere(state(NOON), NOON))


def test_an_event_that_appears_beyond_the_lookback_is_not_promised() -> None:
    holds = Truth()
    holds.add([Moment(NOON - 3 * HOUR, "late", "OPEN", NOON / 1000)])
    assert not list(holds.covered_but_nowhere(state(NOON), NOON))


def test_a_window_that_is_taken_for_sent_has_to_be_somewhere() -> None:
    recent = NOON - HOUR
    holds = truth(recent)
    digest = event_hash({"id": f"e{recent}", "created": recent})
    known = [WindowDigest(NOON - 2 * HOUR, NOON, 1, digest)]
    assert len(list(holds.covered_but_nowhere(state(NOON, known), NOON))) == 1
    other = [WindowDigest(NOON - 2 * HOUR, NOON, 1, digest + 1)]
    assert not list(holds.covered_but_nowhere(state(NOON, other), NOON))
    holds.rejected.add(f"e{recent}")
    assert not list(holds.covered_but_nowhere(state(NOON, known), NOON))


def test_an_event_that_arrives_twice_counts_as_doubled() -> None:
    holds = truth(NOON)
    holds.arrive(["a", "b"])
    holds.arrive(["b"])
    assert holds.doubled == 1


def test_a_bookmark_that_moves_back_or_is_gone_is_noticed() -> None:
    assert moved_back(state(NOON), state(NOON - 1))
    assert moved_back(state(NOON), {})
    assert not moved_back(state(NOON), state(NOON))
    assert not moved_back({}, state(NOON))
