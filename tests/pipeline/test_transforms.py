"""The mappings of transforms/, each between the real tap and target."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from loading.messages import schema, state

if TYPE_CHECKING:
    from pipeline.project import Project
    from sandbox.client import Sandbox

KEY = "a key of some length"
PROXIES = ("GoogleImageProxy", "YahooMailProxy")

SHOP = """
plugins:
  extractors:
  - name: tap-shop
    namespace: tap_shop
    executable: {folder}/tap-shop
    capabilities: [state]
"""
ORDER = {
    "ordered_at": "2026-01-02T03:04:05.678Z",
    "total": 19.9,
    "currency": "EUR",
    "email": "ada@example.com",
}
SHOP_RECORDS = [
    ("orders", ORDER | {"order_id": 0, "customer_id": None}),
    ("orders", ORDER | {"order_id": 1, "customer_id": "user-000001"}),
    ("orders", ORDER | {"order_id": 2, "customer_id": "user-000002"}),
    ("customers", {"id": 1, "email": "ada@example.com"}),
]


def engagement(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Opens and clicks by people, as HubSpot has them."""
    return [
        event
        for event in sandbox.hubspot_events()
        if event.get("type") in {"OPEN", "CLICK"}
        and event["filteredEvent"] is False
        and (event["type"] == "CLICK" or is_person(event.get("userAgent", "")))
    ]


def is_person(user_agent: str) -> bool:
    return user_agent not in {"", "Mozilla/5.0"} and not any(name in user_agent for name in PROXIES)


def test_pseudonymise_sends_no_address_and_keeps_histories_together(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.generate(events=2_000, days=20)
    pipeline = ("run", "tap-hubspot-email-events", "pseudonymise", "target-amplitude")

    without_key = project.meltano(*pipeline, environment={"PSEUDONYMISE_KEY": ""})
    arrived_without_key = sandbox.amplitude_counts()
    run = project.meltano(*pipeline, environment={"PSEUDONYMISE_KEY": KEY})

    assert without_key.returncode == 1
    assert "set PSEUDONYMISE_KEY" in without_key.stdout
    assert arrived_without_key == {}
    assert run.returncode == 0, run.stdout
    events = sandbox.amplitude_events()
    assert len(events) > 1_000
    assert "@" not in json.dumps(events)
    people = {
        event["recipient"].lower() for event in sandbox.hubspot_events() if "recipient" in event
    }
    hashes = {hmac.new(KEY.encode(), who.encode(), "sha256").hexdigest() for who in people}
    assert {event["user_id"] for event in events} <= hashes
    assert "@example." not in run.stdout


def test_mappings_in_a_row_leave_engagement_of_people_without_query_strings(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.generate(events=3_000, days=20)

    run = project.meltano(
        "run",
        "tap-hubspot-email-events",
        *("engagement-only", "drop-bots", "strip-urls"),
        "target-amplitude",
    )

    assert run.returncode == 0, run.stdout
    expected = engagement(sandbox)
    events = sandbox.amplitude_events()
    assert len(expected) > 100
    assert {event["event_properties"]["id"] for event in events} == {
        each["id"] for each in expected
    }
    urls = [event["event_properties"].get("url", "") for event in events]
    assert sum(url.endswith("/read-more") for url in urls) > 10
    assert not any(sign in url for url in urls for sign in "?#")


def test_product_events_shapes_the_records_of_another_tap(
    project: Project, sandbox: Sandbox
) -> None:
    messages = [schema("orders", ("order_id",)), schema("customers")]
    messages += [
        {"type": "RECORD", "stream": stream, "record": record} for stream, record in SHOP_RECORDS
    ]
    lines = "\n".join(map(json.dumps, [*messages, state(2)]))
    project.include(SHOP, **{"tap-shop": f"cat <<'MESSAGES'\n{lines}\nMESSAGES"})

    run = project.meltano("run", "tap-shop", "product-events", "target-amplitude")

    assert run.returncode == 0, run.stdout
    events = sorted(sandbox.amplitude_events(), key=lambda event: str(event["insert_id"]))
    assert [(event["user_id"], event["insert_id"]) for event in events] == [
        ("user-000001", "order:1"),
        ("user-000002", "order:2"),
    ]
    assert events[0]["event_type"] == "Order Placed"
    assert events[0]["time"] == 1_767_323_045_678
    assert events[0]["event_properties"] == {"orderId": 1, "total": 19.9, "currency": "EUR"}
