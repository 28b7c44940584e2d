"""An account that differs in anything the tap takes for granted is told so."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tap_hubspot_email_events
from extracting.checking import OAUTH
from tap_hubspot_email_events.check.assumptions import ASSUMPTIONS

if TYPE_CHECKING:
    from extracting.checking import Checking
    from sandbox.client import Sandbox

HOUR = 3_600_000
AT = int(time.time() * 1000) - 4 * HOUR
"""Older than the lookback."""

NAMES = [each.__name__ for each in ASSUMPTIONS]


def event(created: Any, kind: str = "SENT", **fields: Any) -> dict[str, Any]:
    return {
        "id": f"event-{created}-{kind}",
        "created": created,
        "type": kind,
        "portalId": 4711,
        "recipient": "somebody@example.com",
        "appId": 113,
        "emailCampaignId": 0,
    } | fields


@pytest.fixture
def portal(sandbox: Sandbox) -> Sandbox:
    """An account with two months of events of many types."""
    sandbox.generate(events=7_000, days=60)
    return sandbox


def examined(
    checking: Checking, *options: str, contact_properties: str = "product_user_id", **settings: Any
) -> dict[str, dict[str, str]]:
    report = checking.report(
        "--assumptions", *options, contact_properties=contact_properties, **settings
    )
    assumptions: dict[str, dict[str, str]] = report["assumptions"]
    assert list(assumptions) == NAMES
    assert report["requests"] <= 200
    return assumptions


def differing(assumptions: dict[str, dict[str, str]]) -> set[str]:
    return {name for name, each in assumptions.items() if each["result"] == "differs"}


def test_an_account_as_the_reference_describes_it_differs_in_nothing_within_200_requests(
    portal: Sandbox, checking: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", '["*.*"]')
    assumptions = examined(checking, "--wait", "1s", **OAUTH)
    assert {name: each for name, each in assumptions.items() if each["result"] != "assumed"} == {}
    assert portal.hubspot_stats()["requests"] <= 200


# How HubSpot can be told to differ, and every assumption that this breaks.
BEHAVIOURS: list[tuple[dict[str, Any], set[str]]] = [
    ({"bounds": "start_exclusive"}, {"bounds_inclusive", "offset_continues"}),
    ({"bounds": "end_exclusive"}, {"bounds_inclusive", "offset_continues"}),
    (
        {"stray_milliseconds": 1},
        {"bounds_inclusive", "created_within_window", "empty_window"},
    ),
    ({"order": "oldest_first"}, {"newest_first"}),
    ({"most_events": 250}, {"page_of_1000"}),
    ({"most_events": 1}, {"page_of_1000"}),
    ({"more_on_last_page": True}, {"last_page", "page_of_1000"}),
    ({"more_on_empty_window": True}, {"empty_window"}),
    ({"offset_gives": "repeats_one"}, {"offset_continues", "ids_unique"}),
    ({"offset_gives": "skips_one"}, {"offset_continues", "last_page"}),
    ({"offsets_bound": False}, {"offset_bound_to_query"}),
    ({"ignored_filters": ["eventType"]}, {"event_type_filter", "unbounce"}),
    ({"ignored_filters": ["excludeFilteredEvents"]}, {"exclude_filtered_events"}),
    ({"excluded_too_much": True}, {"exclude_filtered_events"}),
    ({"refused_types": ["SELECTED", "OPT_IN_CHANGE"]}, {"event_types"}),
    ({"refused_types": ["UNBOUNCE"]}, {"event_types", "unbounce"}),
    ({"history_days": 30}, {"whole_history"}),
    ({"forgetful": True}, {"same_window_same_ids"}),
    ({"date": False}, {"date_header"}),
    ({"limit_headers": False}, {"limit_headers"}),
    ({"token_info": "other_scopes"}, {"content_scope"}),
    ({"contacts_missing": "refuse"}, {"contacts_by_email"}),
    ({"offsets_of_token": True}, {"offset_outlives_token"}),
]

# Events in the stream of a type that are not as the reference describes them.
EVENTS: dict[str, tuple[list[tuple[str, Any]], str]] = {
    "a number as id": ([("SENT", event(AT, id=17))], "id_and_created"),
    "no created": ([("SENT", event(None))], "id_and_created"),
    "created as text": ([("SENT", event(str(AT)))], "id_and_created"),
    "no object": ([("OPEN", [1])], "id_and_created"),
    "another portal": ([("SENT", event(AT, portalId=99))], "portal_of_token"),
    "a number as subject": ([("SENT", event(AT, subject=5))], "field_types"),
    "text as place": ([("OPEN", event(AT, "OPEN", location="Rome"))], "field_types"),
    "a number in a list": (
        [("OPEN", event(AT, "OPEN", browser={"version": [1]}))],
        "field_types",
    ),
    "another type": ([("OPEN", event(AT, "CLICK"))], "event_type_filter"),
    "UNBOUNCE with a recipient": (
        [("UNBOUNCE", {"id": "u-1", "created": AT, "recipient": "a@example.com"})],
        "unbounce",
    ),
    "UNBOUNCE with a type": (
        [("UNBOUNCE", {"id": "u-2", "created": AT, "type": "UNBOUNCE"})],
        "unbounce",
    ),
    "one id for two events": (
        [("SENT", event(AT, id="same")), ("DELIVERED", event(AT, "DELIVERED", id="same"))],
        "ids_unique",
    ),
}
ANSWERS: list[tuple[dict[str, Any], str]] = [
    (
        {"path": "/email/public/v1/campaigns/", "status": 200, "json": {"id": 1, "name": "?"}},
        "campaign_by_id",
    ),
    (
        {"path": "/email/public/v1/events", "status": 403, "json": {"message": "no"}},
        "content_scope",
    ),
]
DIFFERENCES = [
    *(
        pytest.param("set_hubspot", behaviour, broken, id=json.dumps(behaviour))
        for behaviour, broken in BEHAVIOURS
    ),
    *(
        pytest.param(
            "add_raw_events",
            {"events": [(AT, kind, json.dumps(each).encode()) for kind, each in events]},
            {broken},
            id=shape,
        )
        for shape, (events, broken) in EVENTS.items()
    ),
    *(
        pytest.param(
            "add_fault",
            {"service": "hubspot", "action": "answer", **answer},
            {broken},
            id=answer["path"],
        )
        for answer, broken in ANSWERS
    ),
]


@pytest.mark.parametrize(("command", "arguments", "broken"), DIFFERENCES)
def test_whatever_is_otherwise_is_noticed(
    portal: Sandbox, checking: Checking, command: str, arguments: dict[str, Any], broken: set[str]
) -> None:
    portal.command(command, **arguments)
    # A fixed token is not renewed, and what OAuth grants need not be asked for.
    settings = OAUTH if "offsets_of_token" in arguments else {}
    assert differing(examined(checking, **settings)) == broken


def test_a_missing_scope_is_no_difference(portal: Sandbox, checking: Checking) -> None:
    portal.set_token("sandbox-access-token", scopes=["oauth"])
    assert differing(examined(checking)) == set()


LATER: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "an event older than the lookback": ("add_events", event(AT + HOUR), {"lag"}),
    "a younger event": ("add_events", event(AT + 3 * HOUR), set()),
    "a name": ("replace_event", event(AT, appName="Renamed"), {"only_obsolescence_changes"}),
    "obsolescence": (
        "replace_event",
        event(AT, obsoletedBy={"id": "later", "created": 1}),
        set(),
    ),
}


@pytest.mark.parametrize("change", LATER)
def test_what_changes_while_waiting_is_noticed(
    portal: Sandbox, checking: Checking, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    command, changed, broken = LATER[change]
    appeared = int(command == "add_events")

    def wait(seconds: float) -> None:
        assert seconds == 300
        portal.command(command, [changed] if appeared else changed)

    portal.add_events([event(AT)])
    monkeypatch.setattr("tap_hubspot_email_events.check.evidence.time.sleep", wait)
    assumptions = examined(checking, "--wait", "5m")
    assert differing(assumptions) == broken
    assert f"{appeared} events appeared" in assumptions["lag"]["seen"]
    assert assumptions["lag"]["result"] != "unknown"


def test_an_account_without_events_leaves_open_what_needs_some(
    sandbox: Sandbox, checking: Checking
) -> None:
    del sandbox
    assumptions = examined(checking, "--wait", "1s")
    assert differing(assumptions) == set()
    for name in ("bounds_inclusive", "last_page", "lag", "unbounce", "ids_unique"):
        assert assumptions[name]["result"] == "unknown"


def test_a_hubspot_that_fails_leaves_open_rather_than_differs(
    portal: Sandbox, checking: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_hubspot_email_events.hubspot.client.FIRST_BACKOFF", 0.001)
    portal.add_fault("hubspot", action="answer", status=500, path="/email", probability=0.5)
    assert differing(examined(checking)) == set()
    assert portal.hubspot_stats()["requests"] <= 200


@pytest.mark.parametrize(
    ("path", "odd"),
    [
        ("/account-info", [1]),
        ("/oauth", {"scopes": 1}),
        ("/email/public/v1/campaigns", {"campaigns": [1]}),
        ("/crm/v3/objects/contacts", {"results": [1]}),
        ("/crm/v3/objects/contacts", {"results": [{"properties": 1}]}),
    ],
)
def test_an_answer_of_an_unknown_form_is_a_finding(
    portal: Sandbox,
    checking: Checking,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    odd: Any,
) -> None:
    monkeypatch.setattr("tap_hubspot_email_events.hubspot.client.FIRST_BACKOFF", 0.001)
    portal.add_fault("hubspot", action="answer", status=200, path=path, json=odd)
    report = checking.report("--assumptions", contact_properties="product_user_id")
    assert report["checks"]["portal"]["result"] == ("ok" if path != "/account-info" else "failed")


def test_each_assumption_names_a_place_that_exists() -> None:
    package = Path(tap_hubspot_email_events.__file__).parent
    for assumption in ASSUMPTIONS:
        named = re.search(r"Relied on by ([\w/]+\.py)(?:, ([\w.]+))?", assumption.__doc__ or "")
        assert named, assumption
        place = package / named[1]
        assert place.is_file(), assumption
        for name in named[2].split(".") if named[2] else ():
            assert name in place.read_text(), assumption
