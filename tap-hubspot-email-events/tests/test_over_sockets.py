"""The whole tap against the sandbox, over real sockets, in a process of its own."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from extracting.extractor import PATIENCE, Run, event, expected, key, now, parsed, select
from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

MINUTE = 60_000
TEN = {STREAM_OF_TYPE[kind] for kind in SELECTED_BY_DEFAULT}


def test_every_event_comes_once_and_the_next_run_costs_a_request_a_stream(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=4000, days=20)
    first = tap()
    assert first.code == 0
    assert Counter(map(key, first.records)) == expected(sandbox)
    requests = sandbox.hubspot_stats()["requests"]
    assert requests <= 1.5 * len(first.records) / 50 + 4 * len(TEN)
    assert set(first.state["bookmarks"]) == TEN
    assert first.complaints == []
    second = tap(state=first.state)
    assert second.code == 0
    assert sandbox.hubspot_stats()["requests"] == requests + len(TEN) + 1
    recent = format_timestamp(now() - 121 * MINUTE)
    assert all(record["created"] > recent for record in second.records)


def test_killed_midway_the_next_run_loses_nothing_and_repeats_only_what_was_unfinished(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=4000, days=20)
    sandbox.set_latency(hubspot=0.02)
    lines: list[bytes] = []
    with tap.start(page_size=20, max_concurrent_requests=4) as process:
        assert process.stdout is not None
        # The tap says how far it is while it reads; it is killed when it has said so three times.
        for line in process.stdout:
            lines.append(line)
            if sum(line.startswith(b'{"type":"STATE"') for line in lines) == 3:
                break
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    sandbox.set_latency(hubspot=0)
    killed = Run(-9, "", parsed(b"".join(lines)))
    assert set(map(key, killed.records)) < set(expected(sandbox))
    resumed = tap(state=killed.state)
    assert resumed.code == 0
    assert set(map(key, killed.records + resumed.records)) == set(expected(sandbox))
    marks = {
        stream: entry["replication_key_value"]
        for stream, entry in killed.state["bookmarks"].items()
        if "replication_key_value" in entry
    }
    assert marks
    settled = format_timestamp(now() - 125 * MINUTE)
    for message in resumed.messages:
        if message["type"] == "RECORD" and (mark := marks.get(message["stream"])):
            assert message["record"]["created"] > min(mark, settled)


def test_failures_of_every_kind_cost_and_double_nothing(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=1500, days=20)
    path = "/email/public/v1/events"
    # Even if all of them hit one request, it is retried often enough.
    for failure in (
        {"action": "cut"},
        {"action": "half_body"},
        {"action": "html", "status": 200},
        {"action": "answer", "status": 503},
        {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}},
    ):
        sandbox.add_fault("hubspot", path=path, skip=6, times=2, probability=0.3, **failure)
    run = tap(max_retries=10)
    assert run.code == 0, run.errors
    assert sandbox.faults_met() >= 5
    assert Counter(map(key, run.records)) == expected(sandbox)


def test_events_that_appear_late_are_found_by_the_next_run(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("OPEN", now() - 300 * MINUTE)])
    first = tap()
    late = [event("OPEN", now() - minutes * MINUTE) for minutes in (5, 60, 119)]
    sandbox.add_events(late)
    second = tap(state=first.state)
    assert {record["id"] for record in second.records} == {one["id"] for one in late}


def test_a_bookmark_ends_with_the_run_whatever_created_says(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("OPEN", now() + 999 * MINUTE)])
    run = tap()
    assert run.records == []
    mark = run.state["bookmarks"]["email_open"]["replication_key_value"]
    assert parse_timestamp(mark) <= now()


def test_a_burst_within_one_millisecond_comes_whole(sandbox: Sandbox, tap: Runner) -> None:
    moment = now() - 600 * MINUTE
    sandbox.add_events([event("SENT", moment, f"burst-{n}") for n in range(1200)])
    run = tap()
    assert Counter(record["id"] for record in run.records) == Counter(
        f"burst-{n}" for n in range(1200)
    )


def test_a_stream_that_fails_leaves_the_others_their_progress(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=1000, days=20)
    refused = {"query": {"eventType": "OPEN"}}
    sandbox.add_fault("hubspot", action="answer", status=403, json={}, match=refused)
    run = tap()
    assert run.code == 1
    assert {message["stream"] for message in run.messages if message["type"] == "RECORD"} == {
        stream for stream in TEN if stream != "email_open"
    }
    moved = {
        stream
        for stream, entry in run.state["bookmarks"].items()
        if "replication_key_value" in entry
    }
    assert moved == TEN - {"email_open"}
    assert len(run.complaints) == 1
    assert "email_open" in run.complaints[0]
    assert "scope `content`" in run.complaints[0]


def test_a_wrong_token_is_one_sentence(tap: Runner) -> None:
    run = tap(access_token="a-secret-that-is-wrong")
    assert run.code == 1
    assert len(run.complaints) == 1
    assert "access_token" in run.complaints[0]
    assert "a-secret" not in run.errors


def test_a_daily_limit_ends_the_run_cleanly_with_what_was_read(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=3000, days=20)
    sandbox.set_limits(daily_limit=20)
    first = tap()
    assert first.code == 0
    assert len(first.complaints) == 1
    assert "daily" in first.complaints[0]
    assert first.records
    sandbox.set_limits(daily_limit=0)
    second = tap(state=first.state)
    assert set(map(key, first.records + second.records)) == set(expected(sandbox))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_run_with_the_true_state(
    sandbox: Sandbox, tap: Runner, signum: signal.Signals
) -> None:
    sandbox.generate(events=2000, days=20)
    sandbox.set_latency(hubspot=0.05)
    with tap.start(page_size=20, max_concurrent_requests=2) as process:
        assert process.stdout is not None
        line = b""
        while not line.startswith(b'{"type":"RECORD"'):
            line = process.stdout.readline()
        process.send_signal(signum)
        rest = process.stdout.read()
        process.wait(PATIENCE)
    run = Run(process.returncode, "", parsed(line + rest))
    assert run.code == 128 + signum
    assert run.messages[-1]["type"] == "STATE"
    sandbox.set_latency(hubspot=0)
    resumed = tap(state=run.state)
    assert set(map(key, run.records + resumed.records)) == set(expected(sandbox))


def test_a_reader_that_has_gone_is_one_sentence(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=3000, days=20)
    with tap.start() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.wait(PATIENCE)
    run = Run(process.returncode, errors, [])
    assert run.code == 1
    assert len(run.complaints) == 1
    assert "has ended" in run.complaints[0]


def test_deselected_properties_and_stream_maps_apply_exactly(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=500, days=20)
    whole = {key(record): record for record in tap().records}
    catalog = select(tap.catalog(), *TEN, without="recipient")
    fewer = tap(catalog=catalog)
    assert {key(record): record for record in fewer.records} == {
        name: {field: value for field, value in record.items() if field != "recipient"}
        for name, record in whole.items()
    }
    mapped = tap(stream_maps={"email_*": {"recipient": "sha256(recipient)"}})
    assert len(mapped.records) == len(whole)
    assert all(len(record["recipient"]) == 64 for record in mapped.records)


def test_what_an_unbounce_lacks_is_filled_in_and_campaigns_are_described(
    sandbox: Sandbox, tap: Runner
) -> None:
    counts = sandbox.generate(events=3000, days=20)
    run = tap(catalog=select(tap.catalog(), "email_unbounce", "email_campaigns"))
    assert run.code == 0, run.errors
    unbounces = [record for record in run.records if record.get("type") == "UNBOUNCE"]
    assert len(unbounces) == counts["UNBOUNCE"] > 0
    assert {record["portalId"] for record in run.records} == {4711}
    campaigns = {record["id"] for record in run.records if "created" not in record}
    assert campaigns
    assert len(campaigns) == len(run.records) - len(unbounces)


# The SDK reads streams by their names, and all of events with the first of them.
@pytest.mark.parametrize("stream", ["email_bounce", "email_open"])
def test_a_campaign_is_asked_for_once(sandbox: Sandbox, tap: Runner, stream: str) -> None:
    sandbox.generate(events=2000, days=20)
    catalog = select(tap.catalog(), stream, "email_campaigns")
    run = tap(catalog=catalog, enrich_campaigns=True)
    assert run.code == 0, run.errors
    described = [record for record in run.records if "created" not in record]
    of_events = {record["emailCampaignId"] for record in run.records if "created" in record}
    assert of_events & {record["id"] for record in described}
    assert any("subject" in record for record in described)
    asked = {
        path: times
        for path, times in sandbox.hubspot_stats()["by_path"].items()
        if path.startswith("/email/public/v1/campaigns/") and not path.endswith("by-id")
    }
    assert asked
    assert set(asked.values()) == {1}


def test_a_neighbour_on_the_account_slows_the_tap_down_without_failing_it(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=1500, days=20)
    sandbox.set_limits(requests_per_10_seconds=60)
    sandbox.spend_requests(requests=30)
    run = tap(requests_per_10_seconds=60)
    assert run.code == 0, run.errors
    assert Counter(map(key, run.records)) == expected(sandbox)


def test_oauth_tokens_that_expire_meanwhile_are_renewed(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.generate(events=1500, days=20)
    sandbox.set_oauth(token_life_seconds=1, rotate=True)
    sandbox.set_latency(hubspot=0.1)
    run = tap(
        access_token=None,
        client_id="sandbox-client",
        client_secret="sandbox-client-secret",
        refresh_token="sandbox-refresh-token",
        max_concurrent_requests=2,
    )
    assert run.code == 0, run.errors
    assert Counter(map(key, run.records)) == expected(sandbox)


def test_no_log_at_any_level_holds_an_address_or_a_token(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("OPEN", now() - 300 * MINUTE)])
    run = tap(debug=True)
    assert len(run.records) == 1
    assert "DEBUG" in run.errors
    assert "jane" not in run.errors
    assert "sandbox-access-token" not in run.errors
