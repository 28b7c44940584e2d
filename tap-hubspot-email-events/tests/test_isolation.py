"""What is wrong with one thing of HubSpot's costs that thing, and is said once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import event, expected, key, now, select

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

HOUR = 3_600_000
CAMPAIGNS = "/email/public/v1/campaigns"
CONTACTS = "/crm/v3/objects/contacts/batch/read"
NAMELESS = dict.fromkeys(("name", "subject", "type", "contentId"))


def test_what_cannot_be_read_costs_itself_alone(sandbox: Sandbox, tap: Runner) -> None:
    sandbox.add_events([event("OPEN", now() - number * HOUR) for number in range(1, 6)])
    odd = json.dumps(event("OPEN", now() - 3 * HOUR, "odd")).encode()
    sandbox.add_raw_events([(now() - 3 * HOUR, "OPEN", odd[:-1] + b', "subject": "caf\xe9"}')])
    run = tap()
    assert run.code == 0, run.errors
    assert len(run.records) == 6
    assert [one["subject"] for one in run.records if one["id"] == "odd"] == ["caf\ufffd"]
    (warning,) = run.complaints
    assert "Events with characters that are no UTF-8 or JSON: 1 (odd)" in warning


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": None}, "created"),
        ({"created": "soon"}, "id odd"),
        ({"created": now() + 365 * 24 * HOUR}, "id odd created 1"),
    ],
)
def test_an_event_that_cannot_be_placed_is_left_out(
    sandbox: Sandbox, tap: Runner, change: dict[str, Any], named: str
) -> None:
    sandbox.add_events([event("OPEN", now() - number * HOUR) for number in range(1, 6)])
    odd = json.dumps(event("OPEN", now() - 3 * HOUR, "odd") | change).encode()
    sandbox.add_raw_events([(now() - 3 * HOUR, "OPEN", odd), (now() - 2 * HOUR, "OPEN", b"null")])
    run = tap()
    assert run.code == 0, run.errors
    assert len(run.records) == 5
    (warning,) = run.complaints
    assert "Events without an id or a time to be placed by: 2 (" in warning
    assert named in warning
    assert "jane" not in run.errors
    assert run.state["bookmarks"]["email_open"]["replication_key_value"]


@pytest.mark.parametrize("many", [5, 500])
def test_an_event_of_another_time_is_delivered_once_and_hides_no_other(
    sandbox: Sandbox, tap: Runner, many: int
) -> None:
    sandbox.add_events([event("OPEN", now() - number * 10_000) for number in range(1, many)])
    year_ago = now() - 365 * 24 * HOUR
    sandbox.add_raw_events(
        [(now() - 25_000, "OPEN", json.dumps(event("OPEN", year_ago, "odd")).encode())]
    )
    first = tap()
    assert first.code == 0, first.errors
    assert len({record["id"] for record in first.records}) == len(first.records) == many
    (warning,) = first.complaints
    assert f"that HubSpot was asked for: 1 (id odd created {year_ago}); they were" in warning
    bookmarks = first.state["bookmarks"]
    mark = bookmarks["email_open"]["replication_key_value"]
    assert mark == bookmarks["email_sent"]["replication_key_value"]
    assert sandbox.hubspot_stats()["requests"] < 25 + many / 50 * 1.5
    second = tap(state=first.state)
    third = tap(state=second.state)
    assert [run.records for run in (second, third)] == [[], []]
    assert [run.complaints for run in (second, third)] == [[], []]


@pytest.mark.parametrize(
    "answer",
    [
        {"action": "answer", "status": 403},
        {"action": "answer", "status": 410},
        {"action": "answer", "status": 500},
        {"action": "answer", "status": 200, "json": ["no", "campaign"]},
    ],
)
def test_a_campaign_that_cannot_be_read_costs_its_name(
    sandbox: Sandbox, tap: Runner, answer: dict[str, Any]
) -> None:
    sandbox.generate(events=2000, days=20)
    bad = sandbox.campaigns()[0]["id"]
    sandbox.add_fault("hubspot", path=f"{CAMPAIGNS}/{bad}", **answer)
    run = tap(enrich_campaigns=True, max_retries=1)
    assert run.code == 0, run.errors
    assert {key(record) for record in run.records} == set(expected(sandbox))
    nameless = [one for one in run.records if one.get("emailCampaignId") == bad]
    assert nameless
    assert all(one["emailCampaign"] == NAMELESS for one in nameless)
    named = [one for one in run.records if one.get("emailCampaignId") not in (bad, 0, None)]
    assert any(one["emailCampaign"]["name"] for one in named)
    if answer.get("status") == 410:
        assert run.complaints == []
        assert f"no longer has the email campaign {bad}" in run.errors
    else:
        (warning,) = run.complaints
        assert f"Email campaigns that cannot be read: 1 ({bad}); their events carry no" in warning


def test_after_several_campaigns_refused_alike_none_is_asked_for(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=3000, days=20)
    sandbox.add_fault("hubspot", path=CAMPAIGNS, action="answer", status=403, json={})
    run = tap(enrich_campaigns=True, max_concurrent_requests=1)
    assert run.code == 0, run.errors
    assert {key(record) for record in run.records} == set(expected(sandbox))
    asked = [one for one in sandbox.hubspot_requests() if one["path"].startswith(CAMPAIGNS)]
    assert len(asked) == 3
    (warning,) = run.complaints
    assert "Email campaigns that cannot be read: 3" in warning
    assert "the token lacks the scope `content`" in warning


def test_the_stream_of_campaigns_goes_on_without_one_but_not_without_all(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=500, days=20)
    campaigns = sandbox.campaigns()
    catalog = select(tap.catalog(), "email_campaigns")
    bad = campaigns[0]["id"]
    sandbox.add_fault("hubspot", path=f"{CAMPAIGNS}/{bad}", action="answer", status=403, json={})
    run = tap(catalog=catalog)
    assert run.code == 0, run.errors
    assert len(run.records) == len(campaigns)
    assert [one.get("name") for one in run.records if one["id"] == bad] == [None]
    assert "Email campaigns that cannot be read: 1" in run.complaints[0]
    # Listings end with "/by-id" or with nothing, so only the campaigns themselves are met.
    for campaign in campaigns:
        path = f"{CAMPAIGNS}/{campaign['id']}"
        sandbox.add_fault("hubspot", path=path, action="answer", status=403, json={})
    assert tap(catalog=catalog).code == 1


@pytest.mark.parametrize("status", [400, 422])
def test_an_address_that_hubspot_refuses_costs_its_own_contact(
    sandbox: Sandbox, tap: Runner, status: int
) -> None:
    people = [f"reader{number}@example.com" for number in range(40)]
    sandbox.add_contacts([{"email": each, "firstname": each[:8]} for each in people])
    sandbox.add_events(
        [
            event("OPEN", now() - (number + 1) * 60_000) | {"recipient": each}
            for number, each in enumerate(people)
        ]
    )
    for bad in people[7], people[30]:
        sandbox.add_fault(
            "hubspot", path=CONTACTS, action="answer", status=status, match={"contains": bad}
        )
    run = tap(contact_properties=["firstname"])
    assert run.code == 0, run.errors
    found = {one["recipient"]: one["contact"]["firstname"] for one in run.records}
    assert found == {each: each[:8] for each in people} | {people[7]: None, people[30]: None}
    (warning,) = run.complaints
    assert "Recipients' addresses that HubSpot refuses: 2; their events carry no con" in warning
    assert "reader" not in run.errors
