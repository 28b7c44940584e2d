"""The whole tap against the sandbox, over real sockets, in a process of its own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from extracting.extractor import PATIENCE, Run, event, expected, key, now, parsed, select
from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.timestamps import format_timestamp

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
