"""No clock costs an event: hours of runs by clocks that are wrong, with events that appear late."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import event, key, now
from tap_hubspot_email_events.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

HOUR = 3600
HOURS = 8
PER_HOUR = 300


def hourly(sandbox: Sandbox, tap: Runner, ahead: list[float]) -> set[tuple[str, str]]:
    """Run once an hour by HubSpot's clock, this machine's ahead by so many seconds each time."""
    order = random.Random(17)
    begin = time.time() - 40 * HOUR
    events, visible = [], []
    for number in range(HOURS * PER_HOUR):
        at = begin + order.uniform(0, HOURS * HOUR)
        late = order.uniform(0, 115 * 60) if order.random() < 0.1 else 0
        events.append(event("OPEN", int(at * 1000), f"e{number}"))
        visible.append(at + late)
    sandbox.set_hubspot_clock(begin)
    sandbox.add_events(events, visible_at=visible)
    state: dict[str, Any] = {}
    seen: set[tuple[str, str]] = set()
    # Two hours more, for what appears late and for a clock that is behind.
    for hour in range(HOURS + 4):
        at = begin + (hour + 1) * HOUR
        sandbox.set_hubspot_clock(at)
        begun = time.monotonic()
        shift = ahead[min(hour, len(ahead) - 1)]
        run = tap(
            state=state,
            clock_ahead=at + shift - time.time(),
            start_date=format_timestamp(int((begin - HOUR) * 1000)),
            page_size=1000,
        )
        assert run.code == 0, run.errors
        state = run.state
        seen |= set(map(key, run.records))
        if mark := state["bookmarks"]["email_open"].get("replication_key_value"):
            assert parse_timestamp(mark) <= (at + time.monotonic() - begun + 1) * 1000
    return {key(one | {"created": format_timestamp(one["created"])}) for one in events} - seen


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param([200 * 60], id="200 minutes fast"),
        pytest.param([-200 * 60], id="200 minutes slow"),
        pytest.param([90], id="a little fast"),
        pytest.param([0, 200 * 60, 0, -200 * 60, 0, 3 * HOUR, 0, 0], id="set back and forth"),
    ],
)
def test_nothing_is_lost(sandbox: Sandbox, tap: Runner, ahead: list[float]) -> None:
    assert hourly(sandbox, tap, ahead) == set()


def test_a_clock_that_is_ahead_is_said(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("OPEN", now() - 60_000)])
    run = tap(clock_ahead=200 * 60)
    assert [one["type"] for one in run.records] == ["OPEN"]
    (warning,) = run.complaints
    assert "clock is 200 minutes ahead of HubSpot's" in warning


def test_a_clock_that_is_behind_is_said(tap: Runner) -> None:
    (warning,) = tap(clock_ahead=-10 * 60).complaints
    assert "clock is 10 minutes behind HubSpot's" in warning


def test_a_difference_of_seconds_is_no_matter(tap: Runner) -> None:
    assert tap(clock_ahead=60).complaints == []
    assert tap(clock_ahead=-60).complaints == []


def test_a_bookmark_in_the_future_counts_as_the_runs_start(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("OPEN", now() - minutes * 60_000) for minutes in (1, 119)])
    entry = {
        "replication_key_value": "2031-01-01T00:00:00Z",
        "run_started_at": "2031-01-01T00:00:00Z",
    }
    run = tap(state={"bookmarks": {"email_open": entry}})
    assert run.code == 0
    assert len(run.records) == 2
    (warning,) = run.complaints
    assert "The bookmark of email_open lay in the future" in warning
    mark = run.state["bookmarks"]["email_open"]["replication_key_value"]
    assert now() - 60_000 < parse_timestamp(mark) <= now()
    assert tap(state=run.state).complaints == []


@pytest.mark.parametrize("behind", [10, 200 * 60, 10 * 24 * HOUR])
def test_a_clock_that_is_behind_moves_no_bookmark_back_and_sends_nothing_again(
    sandbox: Sandbox, tap: Runner, behind: float
) -> None:
    sandbox.add_events([event("OPEN", now() - minutes * 60_000) for minutes in range(5, 115, 5)])
    first = tap()
    sandbox.set_hubspot_clock(time.time() + 3)
    again = tap(state=first.state, clock_ahead=3 - behind)
    assert len(first.records) == 22
    assert again.records == []
    before, after = (
        parse_timestamp(run.state["bookmarks"]["email_open"]["replication_key_value"])
        for run in (first, again)
    )
    assert after > before
    assert "future" not in again.errors
