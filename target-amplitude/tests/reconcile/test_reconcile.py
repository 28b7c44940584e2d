"""Report finds what is missing, send_missing brings it, and no fault makes either of them lie."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.singerlib.exceptions import InvalidInputLine

from loading.messages import record, run_of, schema, state
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox

KEY: dict[str, Any] = {"secret_key": "sandbox-secret-key"}
REPORT = KEY | {"reconcile": "report"}
SEND = KEY | {"reconcile": "send_missing"}
EXPORT = "/api/2/export"


@pytest.fixture(autouse=True)
def _exports_at_once(sandbox: Sandbox) -> None:
    sandbox.set_amplitude(export_delay_hours=-1)


def hours_pass(loader: Loader) -> None:
    """Let the runs of the job log be so long ago that Amplitude exports what they delivered."""
    past = f"{datetime.now(timezone.utc) - timedelta(hours=4):%Y-%m-%dT%H:%M:%SZ}"
    lines = [json.dumps(run | {"started": past}) + "\n" for run in loader.runs]
    loader.job_log_path.write_text("".join(lines))


def lose(sandbox: Sandbox, loader: Loader, *numbers: int) -> None:
    hours_pass(loader)
    ids = {
        event["event_properties"]["id"]: event["insert_id"] for event in sandbox.amplitude_events()
    }
    names = [record(number)["record"]["id"] for number in numbers]
    assert sandbox.remove_amplitude_events([ids[name] for name in names]) == len(numbers)


def reconciled(loader: Loader) -> dict[str, Any]:
    figures: dict[str, Any] = loader.runs[-1]["reconciliation"]
    return figures


def missing_file(loader: Loader) -> Path:
    return loader.rejected_path.parent / "missing.singer.jsonl"


def test_user_properties_and_groups_make_no_difference(sandbox: Sandbox, loader: Loader) -> None:
    def read(plan: str) -> list[dict[str, Any]]:
        contact = {"plan": plan, "id": 7}
        return [schema(), *(record(n, contact=contact) for n in range(1, 21)), state(1)]

    person = {"user_property_fields": ["contact.plan"], "group_fields": {"company": "contact.id"}}
    loader.load(read("free"), **person)
    loader.load(read("team"), **REPORT, **person)
    assert (reconciled(loader)["amplitude"], reconciled(loader)["missing"]) == (20, 0)
    lose(sandbox, loader, 7)
    loader.load(read("team"), **SEND, **person)
    *_, brought = sandbox.amplitude_events()
    assert (brought["user_properties"], brought["groups"]) == ({"plan": "team"}, {"company": "7"})
    assert sandbox.amplitude_stats()["duplicates"] == 0


def test_what_is_missing_is_reported_kept_and_brought(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    loader.load(run_of(50))
    lose(sandbox, loader, 7, 33)
    with pytest.raises(RunFailedError, match="Amplitude lacks 2 of 50 events"):
        loader.load(run_of(50), **REPORT)
    assert loader.states == []
    kept = missing_file(loader)
    assert kept.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line["type"] for line in lines] == ["SCHEMA", "RECORD", "RECORD"]
    (line,) = (entry.message for entry in caplog.records if entry.message.startswith("all "))
    assert line.split() == ["all", "50", "48", "2", "0", "0", "0", "0"]
    assert loader.load(run_of(50), **SEND) == [state(50)["value"]]
    assert loader.streams["email_open"]["delivered"] == 2
    assert loader.streams["email_open"]["skipped"] == 48
    before = sandbox.amplitude_stats()["events_received"]
    assert loader.load(run_of(50), **REPORT) == []
    figures = reconciled(loader)
    assert (figures["hubspot"], figures["amplitude"], figures["missing"]) == (50, 50, 0)
    assert loader.runs[-1]["outcome"] == "reconciled"
    assert sandbox.amplitude_stats()["events_received"] == before
    assert not kept.exists()
    assert sandbox.amplitude_stats()["duplicates"] == 0


@pytest.mark.parametrize("settings", [REPORT, SEND | {"dry_run": True}])
def test_a_report_sends_nothing_but_its_file_can_be_loaded(
    sandbox: Sandbox, loader: Loader, settings: dict[str, Any]
) -> None:
    loader.load(run_of(20))
    lose(sandbox, loader, 3)
    with pytest.raises(RunFailedError, match="lacks 1 of 20"):
        loader.load(run_of(20), **settings)
    assert len(sandbox.amplitude_events()) == 19
    loader.load_text(missing_file(loader))
    assert len(sandbox.amplitude_events()) == 20


@pytest.mark.parametrize(
    "odd", [{"contentId": 123456789012345678901234567890}, {"name": "a\ud800b"}, {"name": None}]
)
def test_any_campaign_is_brought_beside_missing_events(
    sandbox: Sandbox, loader: Loader, odd: dict[str, Any]
) -> None:
    campaign = {"id": 7, "name": "May", "type": "BATCH_EMAIL", "contentId": 1} | odd
    campaigns = [
        {"type": "SCHEMA", "stream": "email_campaigns", "schema": {"properties": {}}},
        {"type": "RECORD", "stream": "email_campaigns", "record": campaign},
    ]
    assert len(loader.load([*campaigns, *run_of(3)], **SEND)) == 1
    assert reconciled(loader)["missing"] == 3
    assert len(sandbox.amplitude_events()) == 3


def test_a_broken_input_is_no_report(loader: Loader, sandbox: Sandbox) -> None:
    whole = run_of(5)
    with pytest.raises(InvalidInputLine, match="Line 4 "):
        loader.load([*whole[:3], "{broken", *whole[3:]], **REPORT)
    assert not missing_file(loader).exists()
    assert sandbox.amplitude_stats()["events_received"] == 0


def test_events_of_another_source_are_not_doubled(sandbox: Sandbox, loader: Loader) -> None:
    loader.load(run_of(10))
    foreign = [
        event | {"insert_id": f"built-in-{event['insert_id']}"}
        for event in sandbox.amplitude_events()
    ]
    sandbox.forget_amplitude()
    sandbox.set_amplitude(export_delay_hours=-1)
    sandbox.add_foreign_events(foreign[:6])
    hours_pass(loader)
    loader.load(run_of(10), **SEND)
    figures = reconciled(loader)
    assert (figures["other_source"], figures["missing"], figures["doubled"]) == (6, 4, 0)
    assert len(sandbox.amplitude_events()) == 10


def test_what_was_sent_again_after_a_week_is_a_warning(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.pass_time(-10 * 86_400)
    loader.load(run_of(10))
    sandbox.pass_time(10 * 86_400)
    loader.load(run_of(4))
    loader.load(run_of(10), **REPORT)
    assert reconciled(loader)["doubled"] == 4
    (warning,) = (entry for entry in caplog.records if "copies too many" in entry.message)
    assert warning.levelname == "WARNING"
    assert warning.message.startswith("4 copies too many are in Amplitude")


def test_what_becomes_no_event_is_not_missing(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    nobody = record(99)
    del nobody["record"]["recipient"]
    loader.load([*run_of(10)[:-1], nobody, state(1)])
    loader.load([*run_of(10)[:-1], nobody, state(1)], **REPORT)
    assert reconciled(loader)["hubspot"] == 10
    assert "Not expected in Amplitude, as they become no event: 1 no user." in caplog.text


def test_a_recent_event_is_too_early_to_say_and_sent_all_the_same(
    sandbox: Sandbox, loader: Loader
) -> None:
    recent = record(1, created=int(time.time() * 1000) - 60_000)
    loader.load([schema(), recent, state(1)], **REPORT)
    assert (reconciled(loader)["too_early"], reconciled(loader)["missing"]) == (1, 0)
    loader.load([schema(), recent, state(1)], **SEND)
    assert len(sandbox.amplitude_events()) == 1


def test_events_delivered_in_the_last_hours_are_too_early_to_say_whenever_they_happened(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox.set_amplitude(export_delay_hours=2)
    loader.load(run_of(30))
    assert loader.load(run_of(30), **REPORT) == []
    run = loader.runs[-1]
    figures = run["reconciliation"]
    assert (figures["too_early"], figures["missing"], run["exit_code"]) == (30, 0, 0)
    assert run["outcome"].startswith("too early to say anything of 30 events")
    assert "Nothing can be said yet: 30 events happened or were delivered after" in caplog.text
    assert not missing_file(loader).exists()
    assert all(entry.levelno < logging.WARNING for entry in caplog.records)
    # Once they can be exported, what Amplitude lacks is missing.
    hours_pass(loader)
    with pytest.raises(RunFailedError, match="Amplitude lacks 30 of 30"):
        loader.load(run_of(30), **REPORT)


def test_only_the_hours_that_were_delivered_just_now_are_too_early(
    sandbox: Sandbox, loader: Loader
) -> None:
    yesterday = [record(number, created=f"2026-10-31T05:00:{number}Z") for number in range(10, 20)]
    loader.load([schema(), *yesterday, state(1)])
    lose(sandbox, loader, 10, 11)
    sandbox.set_amplitude(export_delay_hours=2)
    loader.load(run_of(5))
    with pytest.raises(RunFailedError, match="Amplitude lacks 10 of 15"):
        loader.load([schema(), *yesterday, *run_of(5)[1:]], **REPORT)
    assert reconciled(loader)["too_early"] == 5


def test_without_a_job_log_what_was_delivered_just_now_counts_as_missing(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sandbox.set_amplitude(export_delay_hours=2)
    loader.load(run_of(5))
    with pytest.raises(RunFailedError, match="Amplitude lacks 5 of 5"):
        loader.load(run_of(5), **REPORT, job_log_path=None)
    assert "counts as missing where job_log_path has no line of its run" in caplog.text


def test_event_types_stand_in_the_order_of_hubspots(loader: Loader) -> None:
    kinds = ("OPEN", "CLICK", "SPAMREPORT", "BOUNCE", "SENT", "SHOP")
    records = [record(number, type=kind) for number, kind in enumerate(kinds)]
    loader.load([schema(), *records, state(1)], **SEND, event_types={"SENT": "Zz Sent"})
    assert list(reconciled(loader)["by_event_type"]) == [
        "Zz Sent",
        *(f"[HubSpot] EMAIL_{name}" for name in ("BOUNCE", "OPEN", "CLICK", "SPAM_REPORT", "SHOP")),
    ]


def test_an_empty_input_is_no_error(loader: Loader) -> None:
    loader.load([schema(), state(1)], **REPORT)
    assert reconciled(loader)["hubspot"] == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "cut", "times": 2},
        {"action": "half_body", "times": 2},
        {"action": "answer", "status": 503, "times": 2},
        {"action": "answer", "status": 429, "times": 2, "headers": {"Retry-After": "0"}},
        {"action": "answer", "status": 200, "body": "no zip", "times": 1},
        # Ranges that are too large, or take too long, are split.
        {"action": "answer", "status": 400, "times": 3},
        {"action": "answer", "status": 504, "times": 3},
    ],
)
def test_a_passing_failure_is_outlasted(
    sandbox: Sandbox, loader: Loader, fault: dict[str, Any]
) -> None:
    loader.load(run_of(30))
    lose(sandbox, loader, 9)
    sandbox.add_fault("amplitude", path=EXPORT, **fault)
    loader.load(run_of(30), **SEND)
    assert reconciled(loader)["missing"] == 1
    assert len(sandbox.amplitude_events()) == 30
