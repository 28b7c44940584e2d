"""Each event leaves once: hourly runs, with events that appear late."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from extracting.extractor import select
from extracting.hourly import Simulation, begin
from sandbox.scenarios.steady import Steady
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

# More of both, such as SIMULATED_SEEDS=1,2,3 and SIMULATED_HOURS=26, take minutes.
SEEDS = [int(each) for each in os.environ.get("SIMULATED_SEEDS", "1").split(",")]
HOURS = int(os.environ.get("SIMULATED_HOURS", "5"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("stream", "most"),
    [
        pytest.param((12, 300, 0.0), 1.02, id="nothing late"),
        pytest.param((12, 300, 0.1), 1.3, id="10 % late"),
        pytest.param((HOURS, 20_000, 0.01), 1.3, id="many, 1 % late"),
    ],
)
def test_each_event_is_sent_about_once(
    sandbox: Sandbox, tap: Runner, seed: int, stream: tuple[int, int, float], most: float
) -> None:
    hours, per_hour, late_share = stream
    simulation = Simulation(sandbox, tap, Steady(seed, begin(hours), hours, per_hour, late_share))
    simulation.hours()
    assert simulation.lost == set()
    assert simulation.times <= most


def test_without_the_digests_of_a_state_the_lookback_is_sent_again(
    sandbox: Sandbox, tap: Runner
) -> None:
    simulation = Simulation(sandbox, tap, Steady(7, begin(4), 4, 300))
    simulation.run(4)
    whole = simulation.state
    assert all("sent" in entry for entry in whole["bookmarks"].values())
    assert simulation.run(4.1).records == []
    older = {
        name: {key: value for key, value in entry.items() if key != "sent"}
        for name, entry in whole["bookmarks"].items()
    }
    moved = {
        name: entry
        | {"replication_key_value": format_timestamp(int(simulation.steady.begin * 1000))}
        for name, entry in whole["bookmarks"].items()
    }
    for bookmarks in (older, moved):
        simulation.state = {"bookmarks": bookmarks}
        assert len(simulation.run(4.1).records) > 500


def test_a_deselected_stream_takes_no_room_in_the_state(sandbox: Sandbox, tap: Runner) -> None:
    simulation = Simulation(sandbox, tap, Steady(17, begin(3), 3, 6000))
    simulation.run(3)
    simulation.settings["catalog"] = select(tap.catalog(), "email_open", "email_click")
    simulation.run(3.1)
    with_digests = {n for n, entry in simulation.state["bookmarks"].items() if "sent" in entry}
    assert with_digests == {"email_open", "email_click"}


def test_a_larger_lookback_sends_again_what_it_adds(sandbox: Sandbox, tap: Runner) -> None:
    simulation = Simulation(sandbox, tap, Steady(9, begin(6), 6, 300))
    simulation.run(6)
    simulation.settings["lookback_minutes"] = 240
    added = len(simulation.run(6.1).records)
    assert 500 < added < 700
    assert simulation.run(6.2).records == []
    simulation.settings["lookback_minutes"] = 60
    assert simulation.run(6.3).records == []


def test_streams_that_fail_leave_room_in_the_state_and_repeat_nothing(
    sandbox: Sandbox, tap: Runner
) -> None:
    simulation = Simulation(sandbox, tap, Steady(19, begin(2), 2, 5_000))
    simulation.run(2)
    # Three quarters of the state are of streams that fail, so the next run does not write them.
    for event_type in ("SENT", "PROCESSED", "DELIVERED"):
        match = {"query": {"eventType": event_type}}
        sandbox.add_fault("hubspot", action="answer", status=403, json={}, match=match)
    assert simulation.run(2.1, code=1).records == []
    sandbox.clear_faults()
    assert simulation.run(2.3).records == []
    assert simulation.lost == set()


def test_an_event_that_disappears_brings_no_other_back_twice(sandbox: Sandbox, tap: Runner) -> None:
    simulation = Simulation(sandbox, tap, Steady(13, begin(3), 3, 3000))
    simulation.run(3)
    newest = max(sandbox.hubspot_events(), key=lambda one: int(one["created"]))
    sandbox.delete_events([newest["id"]])
    assert len(simulation.run(3.01).records) < 20
    assert simulation.run(3.02).records == []


def test_only_what_is_sent_is_enriched(sandbox: Sandbox, tap: Runner) -> None:
    simulation = Simulation(
        sandbox, tap, Steady(15, begin(3), 3, 300), {"contact_properties": ["firstname"]}
    )
    simulation.run(3)
    before = len(sandbox.hubspot_requests())
    run = simulation.run(3.1)
    assert run.records == []
    asked = {one["path"] for one in sandbox.hubspot_requests()[before:]}
    assert asked == {"/account-info/v3/details", "/email/public/v1/events"}
    assert "that were sent before" in run.errors.splitlines()[-1]
