"""No clock costs an event: hours of runs by clocks that are wrong, with events that appear late."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from extracting.extractor import event, now
from extracting.hourly import Simulation, begin
from sandbox.scenarios.steady import Steady
from tap_hubspot_email_events.timestamps import parse_timestamp

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

HOUR = 3600
HOURS = 8


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param([200 * 60], id="200 minutes fast"),
        pytest.param([-200 * 60], id="200 minutes slow"),
        pytest.param([90], id="a little fast"),
        pytest.param([0, 200 * 60, 0, -200 * 60, 0, 3 * HOUR, 0, 0], id="set back and forth"),
    ],
)
def test_nothing_is_lost_and_hardly_anything_sent_again(
    sandbox: Sandbox, tap: Runner, ahead: list[float]
) -> None:
    simulation = Simulation(sandbox, tap, Steady(17, begin(HOURS + 30), HOURS, 300, 0.1))
    # Two hours more, for what appears late and for a clock that is behind.
    for hour in range(HOURS + 4):
        begun = time.monotonic()
        simulation.run(hour + 1, shift=ahead[min(hour, len(ahead) - 1)])
        latest = simulation.steady.begin + (hour + 1) * HOUR + time.monotonic() - begun + 1
        for entry in simulation.state["bookmarks"].values():
            if mark := entry.get("replication_key_value"):
                assert parse_timestamp(mark) <= latest * 1000
    assert simulation.lost == set()
    assert simulation.times <= 1.3


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (200, ["clock is 200 minutes ahead of HubSpot's"]),
        (-10, ["clock is 10 minutes behind HubSpot's"]),
        (1, []),
        (-1, []),
    ],
)
def test_a_clock_that_is_wrong_by_minutes_is_said(
    sandbox: Sandbox, tap: Runner, minutes: int, said: list[str]
) -> None:
    sandbox.add_events([event("OPEN", now() - 3_600_000)])
    run = tap(clock_ahead=minutes * 60)
    assert len(run.records) == 1
    assert len(run.complaints) == len(said)
    assert all(words in run.errors for words in said)


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
