"""A run never goes on from the state of another HubSpot account."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from extracting.extractor import event
from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT

if TYPE_CHECKING:
    from extracting.extractor import Run, Runner
    from sandbox.client import Sandbox

OTHER = 4712
OTHER_TOKEN = "sandbox-access-token-2"
START = "2020-01-01T00:00:00Z"


@pytest.fixture
def first(sandbox: Sandbox, tap: Runner) -> Run:
    sandbox.generate(events=500, days=5)
    sandbox.generate(events=500, days=5, portal_id=OTHER)
    run = tap(start_date=START)
    assert run.code == 0
    return run


def test_the_state_says_which_account_it_is_of(first: Run) -> None:
    bookmarks = first.state["bookmarks"]
    assert len(bookmarks) == 10
    assert {entry["portal_id"] for entry in bookmarks.values()} == {4711}


def test_credentials_of_another_account_end_the_run_and_leave_the_state_alone(
    tap: Runner, first: Run
) -> None:
    run = tap(state=first.state, access_token=OTHER_TOKEN, start_date=START, lookback_minutes=9999)
    assert run.code == 1
    assert run.records == []
    assert run.state == first.state
    assert (
        "The credentials are those of HubSpot account 4712, but the state is that of account 4711"
        in run.errors
    )
    assert OTHER_TOKEN not in run.errors


def test_what_was_read_before_it_showed_moves_nothing(
    sandbox: Sandbox, tap: Runner, first: Run
) -> None:
    sandbox.add_events(
        [event("OPEN", int(time.time() * 1000) - 1000, "x") | {"portalId": OTHER}], portal_id=OTHER
    )
    # The answer that shows it comes when all others have been noted.
    delay = {"action": "delay", "seconds": 1.5, "match": {"query": {"eventType": "OPEN"}}}
    sandbox.add_fault("hubspot", **delay)
    run = tap(state=first.state, access_token=OTHER_TOKEN, start_date=START, lookback_minutes=0)
    assert run.code == 1
    assert run.state == first.state


@pytest.mark.usefixtures("first")
def test_with_a_state_of_its_own_it_is_read_whole(sandbox: Sandbox, tap: Runner) -> None:
    run = tap(access_token=OTHER_TOKEN, start_date=START)
    assert run.code == 0
    counts = sandbox.hubspot_counts(OTHER)
    assert len(run.records) == sum(counts.get(of, 0) for of in SELECTED_BY_DEFAULT)
    assert {record["portalId"] for record in run.records} == {OTHER}


def test_an_older_state_learns_its_account(tap: Runner, first: Run) -> None:
    older = {"bookmarks": {name: dict(entry) for name, entry in first.state["bookmarks"].items()}}
    for entry in older["bookmarks"].values():
        del entry["portal_id"]
    run = tap(state=older, start_date=START, lookback_minutes=9999)
    assert run.code == 0
    assert {entry["portal_id"] for entry in run.state["bookmarks"].values()} == {4711}


def test_a_quiet_run_keeps_what_is_known_and_asks_nothing(
    sandbox: Sandbox, tap: Runner, first: Run
) -> None:
    before = len(sandbox.hubspot_requests())
    run = tap(state=first.state, start_date=START, lookback_minutes=0)
    assert run.code == 0
    assert {entry["portal_id"] for entry in run.state["bookmarks"].values()} == {4711}
    assert len(sandbox.hubspot_requests()) - before == 10
