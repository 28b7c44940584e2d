"""What `check` says of an account, and how it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extracting.checking import OAUTH
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from extracting.checking import Checking
    from sandbox.client import Sandbox

SECRETS = ("sandbox-access-token", "sandbox-client-secret", "sandbox-refresh-token")
EVENTS_PATH = "/email/public/v1/events"


@pytest.fixture
def portal(sandbox: Sandbox) -> Sandbox:
    sandbox.generate(events=4000, days=30)
    return sandbox


def failed(report: dict[str, Any]) -> dict[str, str]:
    return {
        name: each["seen"] for name, each in report["checks"].items() if each["result"] == "failed"
    }


def test_a_healthy_account_is_described_and_the_command_ends_well(
    portal: Sandbox, checking: Checking
) -> None:
    report = checking.report(contact_properties="product_user_id")
    checks = report["checks"]
    assert failed(report) == {}
    assert report["plugin"] == "tap-hubspot-email-events"
    assert report["assumptions"] == {}
    for part in ("id 4711", "Europe/Dublin", "na1"):
        assert part in checks["portal"]["seen"]
    assert "content" in checks["scopes"]["seen"]
    assert "10,000 requests in 10 s" in checks["limits"]["seen"]
    assert "left today" in checks["limits"]["seen"]
    assert "newest" in checks["email_sent"]["seen"]
    assert checks["contact_properties.product_user_id"]["result"] == "ok"
    assert report["requests"] == portal.hubspot_stats()["requests"] <= 60


def test_an_account_by_oauth_is_described_as_well(portal: Sandbox, checking: Checking) -> None:
    del portal
    report = checking.report(**OAUTH)
    assert failed(report) == {}
    assert report["checks"]["scopes"]["result"] == "ok"
    assert "OAuth" in report["checks"]["token"]["seen"]


@pytest.mark.parametrize(
    ("told", "result"), [("no_scopes", "unknown"), ("refuse", "unknown"), ("other_scopes", "ok")]
)
def test_a_token_of_which_hubspot_tells_little_is_judged_by_what_it_reads(
    portal: Sandbox, checking: Checking, told: str, result: str
) -> None:
    portal.set_hubspot(token_info=told)
    report = checking.report()
    assert failed(report) == {}
    assert report["checks"]["scopes"]["result"] == result


def test_the_count_of_a_day_is_exact_up_to_a_page(portal: Sandbox, checking: Checking) -> None:
    now = time.time() * 1000
    mine = [each for each in portal.hubspot_events() if each["created"] > now - 86_400_000]
    sent = sum(each.get("type") == "SENT" for each in mine)
    assert f"{sent} in the last 24 hours" in checking.report()["checks"]["email_sent"]["seen"]
    burst = [
        {"id": f"more-{each}", "created": int(now) - 60_000 - each, "type": "SENT"}
        for each in range(1001)
    ]
    portal.add_events(burst)
    seen = checking.report()["checks"]["email_sent"]["seen"]
    assert "1,000 or more in the last 24 hours" in seen


def test_a_missing_scope_is_named(portal: Sandbox, checking: Checking) -> None:
    portal.set_token("sandbox-access-token", scopes=["oauth"])
    report = checking.report()
    assert failed(report)["scopes"].startswith("missing: content")
    assert "content" in failed(report)["email_open"]
    portal.set_token("sandbox-access-token", scopes=["oauth", "content"])
    report = checking.report(contact_properties="product_user_id")
    assert failed(report)["scopes"].startswith("missing: crm.objects.contacts.read")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"access_token": "another-token-of-mine"}, "HTTP 40"),
        (OAUTH, "HTTP 40"),
        ({"api_url": "http://127.0.0.1:9"}, "could not be reached"),
    ],
)
def test_without_an_answer_for_these_credentials_the_check_ends_with_a_sentence(
    portal: Sandbox, checking: Checking, settings: dict[str, Any], words: str
) -> None:
    portal.set_token("sandbox-refresh-token", revoked=True)
    report = checking.report(**settings)
    assert list(report["checks"]) == ["portal"]
    assert words in failed(report)["portal"]


def test_a_used_up_day_is_said_and_nothing_asked_any_more(
    portal: Sandbox, checking: Checking
) -> None:
    portal.set_limits(daily_limit=3)
    report = checking.report("--assumptions")
    assert [seen for seen in failed(report).values() if "used up" in seen]
    assert report["checks"]["token"]["seen"] == "not asked any more"
    assert report["assumptions"] == {}
    assert portal.hubspot_stats()["requests"] == report["requests"] == 4


@pytest.mark.parametrize(("behind", "result"), [(600, "failed"), (60, "ok"), (-600, "failed")])
def test_a_clock_that_is_off_is_noticed(
    portal: Sandbox, checking: Checking, behind: float, result: str
) -> None:
    portal.set_hubspot_clock(time.time() - behind)
    clock = checking.report()["checks"]["clock"]
    assert clock["result"] == result
    assert "ahead of" in clock["seen"] if behind > 0 else "behind" in clock["seen"]


def test_an_account_without_events_is_questioned(sandbox: Sandbox, checking: Checking) -> None:
    del sandbox
    report = checking.report()
    assert "is this the account" in failed(report)["events"]


def test_a_property_on_no_contact_is_noticed(portal: Sandbox, checking: Checking) -> None:
    del portal
    report = checking.report(contact_properties="product_user_id, product_userid")
    assert list(failed(report)) == ["contact_properties.product_userid"]


def test_campaigns_that_are_gone_leave_it_open(portal: Sandbox, checking: Checking) -> None:
    portal.add_fault(
        "hubspot", action="answer", status=404, path="/email/public/v1/campaigns/", json={}
    )
    assert checking.report()["checks"]["campaigns"]["result"] == "unknown"


def in_catalog(stream: str, *, selected: bool) -> dict[str, Any]:
    return {
        "tap_stream_id": stream,
        "schema": {"type": "object", "properties": {}},
        "metadata": [{"breadcrumb": [], "metadata": {"selected": selected}}],
    }


@pytest.mark.usefixtures("portal")
def test_what_is_selected_is_checked(checking: Checking, monkeypatch: pytest.MonkeyPatch) -> None:
    def streams(*options: str) -> list[str]:
        return [each for each in checking.report(*options)["checks"] if each.startswith("email_")]

    selected = ["email_open.*", "email_un*.created", "!email_open.recipient"]
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(selected))
    assert streams() == ["email_open", "email_unbounce", "email_unsubscribed"]
    entries = [in_catalog("email_click", selected=True), in_catalog("email_open", selected=False)]
    Path("catalog.json").write_text(json.dumps({"streams": entries}))
    assert streams("--catalog", "catalog.json") == ["email_click"]
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", '["another.*"]')
    assert "no stream is selected" in failed(checking.report())["events"]


STARTS = "2026-01-31T08:00:00.000Z (email_open); none yet for email_sent"


@pytest.mark.parametrize(
    ("entry", "result", "words"),
    [
        ({}, "ok", STARTS),
        ({"portal_id": 4711}, "ok", STARTS),
        ({"portal_id": 4712}, "failed", "email_open's is that of account 4712"),
        ({"replication_key_value": "2999-01-01T00:00:00.000Z"}, "failed", "in the future"),
        ({"replication_key_value": "yesterday"}, "failed", "no RFC 3339 date"),
        ({"partitions": "all"}, "failed", "of an unknown form"),
    ],
)
@pytest.mark.usefixtures("portal")
def test_the_state_shows_where_the_next_run_starts_or_why_it_could_not(
    checking: Checking, entry: dict[str, Any], result: str, words: str
) -> None:
    given = {"replication_key": "created", "replication_key_value": "2026-01-31T10:00:00.000Z"}
    Path("state.json").write_text(json.dumps({"bookmarks": {"email_open": given | entry}}))
    bookmarks = checking.report("--state", "state.json")["checks"]["bookmarks"]
    assert bookmarks["result"] == result
    assert words in bookmarks["seen"]


def test_a_bookmark_ahead_of_this_machines_clock_alone_is_none_of_the_future(
    portal: Sandbox, checking: Checking
) -> None:
    at = time.time() + 7200
    portal.set_hubspot_clock(at)
    bookmark = {"replication_key_value": format_timestamp(int((at - 600) * 1000))}
    state = {"singer_state": {"bookmarks": {"email_open": bookmark}}}
    Path("state.json").write_text(json.dumps(state))
    report = checking.report("--state", "state.json")
    assert report["checks"]["bookmarks"]["result"] == "ok"


@pytest.mark.parametrize(
    ("option", "content", "words"),
    [
        ("--state", "{", "given.json given with --state is no JSON object"),
        ("--catalog", "[]", "given.json given with --catalog is no JSON object"),
        ("--catalog", '{"streams": [1]}', "The catalog is of no known form"),
        ("--config", "[", "given.json given with --config is no JSON object"),
        ("--config", '{"page_size": "many"}', "page_size"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    portal: Sandbox, checking: Checking, option: str, content: str, words: str
) -> None:
    Path("given.json").write_text(content)
    result = checking.run(option, "given.json")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert words in result.output
    assert portal.hubspot_stats()["requests"] == 0


def test_a_hubspot_in_trouble_is_asked_no_more_than_allowed(
    portal: Sandbox, checking: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", '["*.*"]')
    monkeypatch.setattr("tap_hubspot_email_events.hubspot.client.FIRST_BACKOFF", 0.001)
    portal.add_fault("hubspot", action="answer", status=500, path=EVENTS_PATH, skip=5)
    report = checking.report()
    # Of the 60, ten are kept for tokens.
    assert portal.hubspot_stats()["requests"] == report["requests"] == 50
    assert "no requests left" in report["checks"]["campaigns"]["seen"]


def test_neither_output_names_a_person_or_a_secret(portal: Sandbox, checking: Checking) -> None:
    people = {str(each["recipient"]) for each in portal.hubspot_events() if each.get("recipient")}
    portal.add_fault(
        "hubspot",
        action="answer",
        status=400,
        path="/crm",
        json={"message": f"bad address {next(iter(people))}"},
    )
    for settings in ({}, OAUTH):
        for options in (["--assumptions"], ["--assumptions", "--json"]):
            output = checking.run(*options, contact_properties="product_user_id", **settings).output
            assert not [each for each in (*people, *SECRETS) if each in output]
            assert "@" not in output
