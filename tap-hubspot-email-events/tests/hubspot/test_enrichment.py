"""Events carry their campaigns' names and contacts' properties, at the cost of what they add."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import event, expected, key, now, select
from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT, STREAM_OF_TYPE
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH
from tap_hubspot_email_events.hubspot.client import UNREADABLE_RETRIES

if TYPE_CHECKING:
    from extracting.extractor import Runner
    from sandbox.client import Sandbox

CAMPAIGNS = "/email/public/v1/campaigns"
CONTACTS = "/crm/v3/objects/contacts/batch/read"
DELETED = 198114233
NAMELESS = dict.fromkeys(("name", "subject", "type", "contentId"))
OF_EVERY_RUN = ("/email/public/v1/events", ACCOUNT_PATH)
TEN = {STREAM_OF_TYPE[kind] for kind in SELECTED_BY_DEFAULT}


def extra_requests(sandbox: Sandbox) -> Counter[str]:
    asked = Counter(each["path"] for each in sandbox.hubspot_requests())
    return Counter({path: n for path, n in asked.items() if path not in OF_EVERY_RUN})


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({}, {}),
        ({"emailCampaignId": 0, "recipient": None}, {"contact_properties": ["firstname"]}),
        ({"emailCampaignId": 0, "recipient": ""}, {"contact_properties": ["firstname"]}),
    ],
)
def test_what_is_not_wanted_or_not_there_is_asked_about_nowhere(
    sandbox: Sandbox, tap: Runner, fields: dict[str, Any], settings: dict[str, Any]
) -> None:
    sandbox.add_events([event("OPEN", now() - 1000) | fields])
    (record,) = tap(enrich_campaigns=bool(settings), **settings).records
    assert not {"emailCampaign", "contact"} & record.keys()
    assert not extra_requests(sandbox)


def test_nothing_is_lost_or_left_bare_under_all_sorts_of_failures(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=3000, days=20)
    for fault in (
        {"action": "answer", "status": 500},
        {"action": "cut"},
        {"action": "half_body"},
        # As often as one request may be answered so.
        {"action": "html", "status": 200, "times": UNREADABLE_RETRIES},
        {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}, "json": {}},
    ):
        sandbox.add_fault("hubspot", probability=0.05, **fault)
    run = tap(page_size=200, enrich_campaigns=True, contact_properties=["firstname"])
    sandbox.clear_faults()
    assert (run.code, run.complaints) == (0, [])
    assert Counter(map(key, run.records)) == expected(sandbox)
    known = sandbox.contacts()
    names = {each["id"]: each["name"] for each in sandbox.campaigns() if not each["deleted"]}
    for each in run.records:
        contact = known.get(each["recipient"].lower(), {})
        assert each["contact"] == {"firstname": contact.get("firstname")}
        if campaign := each["emailCampaignId"]:
            assert each["emailCampaign"]["name"] == names.get(campaign)


# The SDK reads streams by their names, and all of events with the first of them.
@pytest.mark.parametrize("streams", [TEN, TEN - {"email_bounce"}])
def test_each_campaign_is_asked_for_once_and_names_all_its_events(
    sandbox: Sandbox, tap: Runner, streams: set[str]
) -> None:
    sandbox.generate(events=4000, days=20)
    known = {each["id"]: each for each in sandbox.campaigns()}
    run = tap(catalog=select(tap.catalog(), *streams, "email_campaigns"), enrich_campaigns=True)
    # A deleted campaign belongs to HubSpot's history, not to this run's failures.
    assert (run.code, run.complaints) == (0, [])
    events = [each for each in run.records if each.get("emailCampaignId")]
    described = {each["id"] for each in run.records if "created" not in each}
    named = {each["emailCampaignId"] for each in events}
    assert DELETED in named
    asked = extra_requests(sandbox)
    assert {f"{CAMPAIGNS}/{each}" for each in named | described} < asked.keys()
    assert set(asked.values()) == {1}
    for each in events:
        campaign = known[each["emailCampaignId"]]
        if campaign["id"] == DELETED:
            assert each["emailCampaign"] == NAMELESS
        else:
            assert each["emailCampaign"].keys() == NAMELESS.keys()
            assert each["emailCampaign"]["name"] == campaign["name"]
            assert each["emailCampaign"]["subject"] == campaign["subject"]
            assert all(each["emailCampaign"].values())


@pytest.mark.parametrize(
    ("path", "fault", "words"),
    [
        (CAMPAIGNS, {"action": "cut"}, "could not be reached"),
        (CONTACTS, {"status": 403, "json": {}}, "the scope `crm.objects.contacts.read`;"),
        # A refusal of every address is no fault of the addresses.
        (CONTACTS, {"status": 400}, "HTTP 400"),
        (CONTACTS, {"status": 429, "json": {"policyName": "DAILY"}}, "daily request limit"),
    ],
)
def test_nothing_is_written_without_what_it_should_carry(
    sandbox: Sandbox, tap: Runner, path: str, fault: dict[str, Any], words: str
) -> None:
    sandbox.generate(events=500, days=20)
    sandbox.add_fault("hubspot", path=path, **{"action": "answer", **fault})
    properties = ["firstname"] if path == CONTACTS else []
    run = tap(enrich_campaigns=not properties, contact_properties=properties, max_retries=1)
    # A daily limit is no failure.
    assert run.code == (0 if fault.get("status") == 429 else 1)
    assert words in run.complaints[-1]
    assert not [each for each in run.records if each["type"] == "SENT"]
    assert "replication_key_value" not in run.state["bookmarks"].get("email_sent", {})


def test_a_property_deselected_in_one_stream_stays_in_the_others(
    sandbox: Sandbox, tap: Runner
) -> None:
    sandbox.generate(events=500, days=20)
    catalog = tap.catalog()
    for entry in catalog["streams"]:
        for each in entry["metadata"]:
            if entry["tap_stream_id"] == "email_sent" and each["breadcrumb"][-1:] == ["subject"]:
                each["metadata"]["selected"] = False
    run = tap(catalog=catalog, enrich_campaigns=True)
    of_types = {
        each["type"]: "subject" in each["emailCampaign"]
        for each in run.records
        if "emailCampaign" in each
    }
    assert {kind for kind, has_subject in of_types.items() if not has_subject} == {"SENT"}
    assert of_types["OPEN"]


def test_contacts_are_read_a_hundred_at_once_and_each_address_once(
    sandbox: Sandbox, tap: Runner
) -> None:
    people = [f"reader{number}@example.com" for number in range(250)]
    sandbox.add_contacts([{"email": each, "firstname": each[:9]} for each in people[::2]])
    begin = now() - 1000
    sandbox.add_events(
        [
            event(kind, begin - number) | {"recipient": address}
            for number, each in enumerate(people)
            for kind, address in (("SENT", each), ("OPEN", each.upper()))
        ]
    )
    run = tap(contact_properties=["firstname", "product_user_id"], page_size=1000)
    assert extra_requests(sandbox) == {CONTACTS: 3}
    assert len(run.records) == 500
    for each in run.records:
        person = each["recipient"].lower()
        firstname = person[:9] if person in people[::2] else None
        assert each["contact"] == {"firstname": firstname, "product_user_id": None}
