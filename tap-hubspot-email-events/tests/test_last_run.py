"""The state says whether the run that wrote it read all it was to read."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import PATIENCE, Run, event, expected, key, now, parsed, select
from tap_hubspot_email_events.timestamps import parse_timestamp

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

OPENS = {"query": {"eventType": "OPEN"}}
DAILY = {"action": "answer", "status": 429, "json": {"policyName": "DAILY"}}


def states(run: Run) -> list[dict[str, Any]]:
    """What each STATE says of the run; the last of all messages is one."""
    assert run.messages[-1]["type"] == "STATE"
    said = [one["value"]["last_run"] for one in run.messages if one["type"] == "STATE"]
    assert len({one["started_at"] for one in said}) == 1
    assert abs(parse_timestamp(said[0]["started_at"]) - now()) < 1000 * PATIENCE
    return said


def test_only_the_last_state_of_a_good_run_is_complete(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=3000, days=20)
    first = tap()
    assert first.messages[0]["type"] == "STATE"
    *before, last = states(first)
    assert before
    assert not any(one["complete"] for one in before)
    assert (last["complete"], set(last)) == (True, {"started_at", "complete"})
    *before, last = states(tap(state=first.state))
    assert before
    assert not any(one["complete"] for one in before)
    assert last["complete"]
    assert last["started_at"] > first.state["last_run"]["started_at"]


@pytest.mark.parametrize("odd", [None, 5, {"complete": False, "reason": "x", "other": 1}])
def test_what_a_given_state_says_of_its_run_is_replaced(
    sandbox: Sandbox, tap: Runner, odd: Any
) -> None:
    sandbox.add_events([event("OPEN", now() - 1000)])
    run = tap(state=tap().state | {"last_run": odd})
    assert run.records == []
    assert states(run)[-1].keys() == {"started_at", "complete"}


@pytest.mark.parametrize("streams", [("email_campaigns",), ("email_open", "email_campaigns")])
def test_a_run_of_campaigns_is_complete_too(
    sandbox: Sandbox, tap: Runner, streams: tuple[str, ...]
) -> None:
    sandbox.generate(events=100, days=2)
    catalog = select(tap.catalog(), *streams)
    run = tap(catalog=catalog)
    assert states(run)[-1]["complete"]
    assert tap(state=run.state, catalog=catalog).code == 0
    path = "/email/public/v1/campaigns"
    sandbox.add_fault("hubspot", path=path, action="answer", status=403, json={})
    run = tap(catalog=catalog)
    assert run.code == 1
    assert not states(run)[-1]["complete"]
    assert states(run)[-1]["reason"].startswith("email_campaigns: ")


def test_a_stream_that_fails_is_the_reason(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=500, days=20)
    sandbox.add_fault("hubspot", action="answer", status=403, json={}, match=OPENS)
    run = tap()
    assert run.code == 1
    assert run.records
    said = states(run)
    assert not any(one["complete"] for one in said)
    assert said[-1]["reason"].startswith("email_open: HubSpot refused the request (HTTP 403)")
    assert (len(run.complaints), "scope `content`" in run.complaints[0]) == (1, True)
    marks = run.state["bookmarks"]
    assert {name for name in marks if "replication_key_value" not in marks[name]} == {"email_open"}


def test_a_token_that_is_refused_midway_is_the_reason(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=3000, days=20)
    sandbox.add_fault("hubspot", action="answer", status=401, json={}, skip=15)
    run = tap()
    assert run.code == 1
    assert "HubSpot refused the token" in states(run)[-1]["reason"]
    assert not states(run)[-1]["complete"]


@pytest.mark.parametrize("skip", [0, 1, 15])
def test_the_daily_limit_is_the_reason(sandbox: Sandbox, tap: Runner, skip: int) -> None:
    sandbox.generate(events=3000, days=20)
    sandbox.add_fault("hubspot", **DAILY, skip=skip)
    run = tap()
    assert run.code == 0
    said = states(run)
    assert not any(one["complete"] for one in said)
    assert said[-1]["reason"] == "HubSpot's daily request limit is used up."
    sandbox.clear_faults()
    rest = tap(state=run.state)
    assert {*map(key, run.records), *map(key, rest.records)} == set(expected(sandbox))
    assert states(rest)[-1]["complete"]


def test_a_run_of_no_stream_is_not_complete(tap: Runner) -> None:
    (said,) = states(tap(catalog=select(tap.catalog())))
    assert (said["complete"], said["reason"]) == (False, "No stream is selected.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_whenever_a_run_is_ended_its_state_is_read_and_nothing_is_lost(
    sandbox: Sandbox, tap: Runner, number: signal.Signals
) -> None:
    sandbox.generate(events=6000, days=20)
    sandbox.set_latency(hubspot=0.02)
    order = random.Random(number)
    seen: set[tuple[str, str]] = set()
    state: dict[str, Any] = {}
    ended = 0
    for _ in range(6):
        with tap.start(state=state) as process:
            lines = [process.stdout.readline() for _ in range(order.randrange(1, 700))]
            process.send_signal(number)
            lines.append(process.stdout.read())
        run = Run(process.returncode, "", parsed(b"".join(lines)))
        seen |= {*map(key, run.records)}
        state = run.state
        if run.code == 0:
            continue
        ended += 1
        assert run.code == 128 + number
        assert not state["last_run"]["complete"]
        assert states(run)[-1]["reason"] == f"The run was ended by {number.name}."
    assert ended
    rest = tap(state=state)
    assert states(rest)[-1]["complete"]
    assert seen | {*map(key, rest.records)} == set(expected(sandbox))
