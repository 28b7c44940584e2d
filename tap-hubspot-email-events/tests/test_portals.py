"""A run never goes on from the state of another HubSpot account."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import event, select
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH

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


def test_credentials_of_another_account_end_the_run_before_anything_is_read_or_written(
    sandbox: Sandbox, tap: Runner, first: Run
) -> None:
    before = len(sandbox.hubspot_requests())
    run = tap(state=first.state, access_token=OTHER_TOKEN, start_date=START, lookback_minutes=9999)
    assert run.code == 1
    assert run.messages == []
    assert len(sandbox.hubspot_requests()) - before == 1
    (sentence,) = run.complaints
    assert (
        "The credentials are those of HubSpot account 4712, but the state is that of account 4711"
        in sentence
    )
    assert OTHER_TOKEN not in run.errors


@pytest.mark.parametrize("status", [403, 404, 500])
def test_where_hubspot_does_not_say_it_is_a_warning_and_the_state_keeps_its_account(
    sandbox: Sandbox, tap: Runner, first: Run, status: int
) -> None:
    sandbox.add_fault("hubspot", path=ACCOUNT_PATH, action="answer", status=status, json={})
    again = tap(state=first.state, start_date=START, max_retries=1)
    assert (again.code, again.complaints) == (0, [])
    run = tap(
        state=again.state,
        access_token=OTHER_TOKEN,
        start_date=START,
        lookback_minutes=99_999,
        max_retries=1,
    )
    assert run.code == 0
    (warning,) = run.complaints
    assert "of another HubSpot account than the state's: " in warning
    assert "(4712 instead of 4711" in warning
    assert {entry["portal_id"] for entry in run.state["bookmarks"].values()} == {4711}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403, "json": {}},
        {"status": 200, "body": "<html>"},
        {"status": 200, "body": "null"},
    ],
)
def test_where_nothing_but_events_says_it_the_state_takes_their_word(
    sandbox: Sandbox, tap: Runner, answer: dict[str, Any]
) -> None:
    sandbox.add_events([event("OPEN", int(time.time() * 1000) - 1000)])
    sandbox.add_fault("hubspot", path=ACCOUNT_PATH, action="answer", **answer)
    run = tap()
    assert (run.code, run.complaints) == (0, [])
    assert run.state["bookmarks"]["email_open"]["portal_id"] == 4711


def test_a_record_that_lacks_its_account_fails_where_nothing_says_it(
    sandbox: Sandbox, tap: Runner
) -> None:
    lacking = event("OPEN", int(time.time() * 1000) - 1000)
    del lacking["portalId"]
    sandbox.add_events([lacking])
    assert [record["portalId"] for record in tap().records] == [4711]
    sandbox.add_fault("hubspot", path=ACCOUNT_PATH, action="answer", status=403, json={})
    run = tap()
    assert (run.code, run.records) == (1, [])
    assert "the token lacks the scope" in run.complaints[0]


@pytest.mark.parametrize(
    "fault", [{"action": "cut"}, {"action": "answer", "status": 401, "json": {}}]
)
def test_an_account_out_of_reach_is_a_sentence_and_no_state(
    sandbox: Sandbox, tap: Runner, first: Run, fault: dict[str, Any]
) -> None:
    sandbox.add_fault("hubspot", **fault)
    run = tap(state=first.state)
    assert (run.code, run.messages, len(run.complaints)) == (1, [], 1)


def test_a_daily_limit_that_is_used_up_at_the_start_ends_the_run_cleanly(
    sandbox: Sandbox, tap: Runner, first: Run
) -> None:
    before = sandbox.hubspot_stats()["requests"]
    sandbox.set_limits(daily_limit=before)
    catalog = select(tap.catalog(), "email_open", "email_campaigns")
    run = tap(state=first.state, catalog=catalog)
    assert (run.code, run.records) == (0, [])
    assert run.state["bookmarks"]["email_open"] == first.state["bookmarks"]["email_open"]
    (warning,) = run.complaints
    assert "daily request limit" in warning
    assert "incomplete" in run.errors.splitlines()[-1]
    assert sandbox.hubspot_stats()["requests"] == before + 1


def test_an_older_state_learns_its_account(tap: Runner, first: Run) -> None:
    older = {"bookmarks": {name: dict(entry) for name, entry in first.state["bookmarks"].items()}}
    for entry in older["bookmarks"].values():
        del entry["portal_id"]
    run = tap(state=older, start_date=START, lookback_minutes=9999)
    assert run.code == 0
    assert {entry["portal_id"] for entry in run.state["bookmarks"].values()} == {4711}
