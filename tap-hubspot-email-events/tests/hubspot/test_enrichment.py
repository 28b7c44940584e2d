"""Events carry their campaigns' names and contacts' properties, at the cost of what they add."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tap_hubspot_email_events.errors import TapError
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH
from tap_hubspot_email_events.hubspot.client import UNREADABLE_RETRIES
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

if TYPE_CHECKING:
    from sandbox.client import Sandbox

CONTACTS = "/crm/v3/objects/contacts/batch/read"
CAMPAIGN = 243851494
DELETED = 198114233
NAMELESS = dict.fromkeys(("name", "subject", "type", "contentId"))
OF_EVERY_RUN = ("/email/public/v1/events", ACCOUNT_PATH)

Record = dict[str, Any]


class Run:
    """One run of the tap: its messages, its requests and its failure."""

    def __init__(
        self, hubspot: Sandbox, capsys: pytest.CaptureFixture[str], **settings: Any
    ) -> None:
        self.failure = ""
        catalog = settings.pop("catalog", None)
        before = len(hubspot.hubspot_requests())
        config = {
            "api_url": hubspot.hubspot_url,
            "access_token": "sandbox-access-token",
            **settings,
        }
        capsys.readouterr()
        try:
            TapHubSpotEmailEvents(config=config, catalog=catalog).sync_all()
        except TapError as error:
            self.failure = str(error)
        self.messages: list[Record] = [
            json.loads(line) for line in capsys.readouterr().out.splitlines()
        ]
        self.requests: list[Record] = hubspot.hubspot_requests()[before:]

    def records(self, *streams: str) -> list[Record]:
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and (not streams or message["stream"] in streams)
        ]

    @property
    def state(self) -> Record:
        """The last state written."""
        state: Record = [each["value"] for each in self.messages if each["type"] == "STATE"][-1]
        return state

    @property
    def extra_requests(self) -> Counter[str]:
        return Counter(r["path"] for r in self.requests if r["path"] not in OF_EVERY_RUN)


def event(number: int, **fields: Any) -> Record:
    return {
        "id": f"event-{number}",
        "portalId": 4711,
        "created": time.time_ns() // 1_000_000 - 3_600_000 + number,
        "type": "SENT",
        "recipient": f"reader{number}@example.com",
        "emailCampaignId": 0,
        "appId": 0,
        **fields,
    }


Extract = Callable[..., Run]


@pytest.fixture
def extract(hubspot: Sandbox, capsys: pytest.CaptureFixture[str]) -> Extract:
    return lambda **settings: Run(hubspot, capsys, **settings)


def test_switched_off_it_costs_no_request(hubspot: Sandbox, extract: Extract) -> None:
    hubspot.generate(events=1000, days=5)

    run = extract(enrich_campaigns=False)

    assert run.records()
    assert not run.extra_requests
    assert not any({"emailCampaign", "contact"} & each.keys() for each in run.records())


def test_what_has_no_campaign_and_no_recipient_is_asked_about_nowhere(
    hubspot: Sandbox, extract: Extract
) -> None:
    hubspot.add_events([event(1, recipient=None), event(2, recipient="")])

    run = extract(contact_properties=["firstname"])

    assert len(run.records()) == 2
    assert not run.extra_requests
    assert not any({"emailCampaign", "contact"} & each.keys() for each in run.records())


def test_nothing_is_lost_or_left_bare_under_all_sorts_of_failures(
    hubspot: Sandbox, extract: Extract
) -> None:
    hubspot.generate(events=3000, days=20)
    start = "2020-01-01T00:00:00Z"
    for fault in (
        {"action": "answer", "status": 500},
        {"action": "cut"},
        {"action": "half_body"},
        # As often as one request may be answered so.
        {"action": "html", "status": 200, "times": UNREADABLE_RETRIES},
        {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}, "json": {}},
    ):
        hubspot.add_fault("hubspot", probability=0.05, **fault)

    run = extract(start_date=start, page_size=200, contact_properties=["firstname"])
    hubspot.clear_faults()

    assert not run.failure
    known = hubspot.contacts()
    names = {each["id"]: each["name"] for each in hubspot.campaigns() if not each["deleted"]}
    written = {(each["type"], each["id"]): each for each in run.records()}
    assert len(written) == len(run.records())
    for sent in hubspot.hubspot_events():
        each = written.pop((sent.get("type", "UNBOUNCE"), sent["id"]), None)
        if each is None:
            assert sent.get("type") in {None, "FORWARD", "PRINT", "UNSUBSCRIBED"}
            continue
        contact = known.get(each["recipient"].lower(), {})
        assert each["contact"] == {"firstname": contact.get("firstname")}
        if campaign := each["emailCampaignId"]:
            assert each["emailCampaign"]["name"] == names.get(campaign)
    assert not written


def test_each_campaign_is_asked_for_once_and_names_all_its_events(
    hubspot: Sandbox, extract: Extract
) -> None:
    hubspot.generate(events=4000, days=20)
    known = {each["id"]: each for each in hubspot.campaigns()}

    run = extract()

    events = [each for each in run.records() if each["emailCampaignId"]]
    campaigns = {each["emailCampaignId"] for each in events}
    assert DELETED in campaigns
    assert run.extra_requests == {f"/email/public/v1/campaigns/{each}": 1 for each in campaigns}
    for each in events:
        campaign = known[each["emailCampaignId"]]
        if campaign["id"] == DELETED:
            assert each["emailCampaign"] == NAMELESS
        else:
            assert each["emailCampaign"].keys() == NAMELESS.keys()
            assert each["emailCampaign"]["name"] == campaign["name"]
            assert each["emailCampaign"]["subject"] == campaign["subject"]
            assert all(each["emailCampaign"].values())
    # A deleted campaign belongs to HubSpot's history, not to this run's failures.
    assert not run.failure


def test_nothing_is_written_without_what_it_should_carry(
    hubspot: Sandbox, extract: Extract
) -> None:
    hubspot.add_events([event(1, emailCampaignId=CAMPAIGN), event(2, type="OPEN")])
    hubspot.add_fault("hubspot", path="/email/public/v1/campaigns", action="cut")

    run = extract(max_retries=1)

    assert "could not be reached" in run.failure
    assert not run.records("email_sent")
    assert "replication_key_value" not in run.state["bookmarks"].get("email_sent", {})


def test_a_property_deselected_in_one_stream_stays_in_the_others(
    hubspot: Sandbox, extract: Extract
) -> None:
    hubspot.add_events(
        [
            event(number, type=kind, emailCampaignId=CAMPAIGN)
            for number, kind in enumerate(["SENT", "OPEN", "SENT", "OPEN"])
        ]
    )
    catalog = TapHubSpotEmailEvents(config={"access_token": "unused"}).catalog_dict
    sent = next(each for each in catalog["streams"] if each["tap_stream_id"] == "email_sent")
    for entry in sent["metadata"]:
        if entry["breadcrumb"] == ["properties", "emailCampaign", "properties", "subject"]:
            entry["metadata"]["selected"] = False

    run = extract(catalog=catalog)

    assert len(run.records()) == 4
    assert all("subject" not in each["emailCampaign"] for each in run.records("email_sent"))
    assert all("subject" in each["emailCampaign"] for each in run.records("email_open"))


def test_contacts_are_read_a_hundred_at_once_and_each_address_once(
    hubspot: Sandbox, extract: Extract
) -> None:
    people = 250
    hubspot.add_contacts(
        [
            {"email": f"reader{number}@example.com", "firstname": f"Reader {number}"}
            for number in range(0, people, 2)
        ]
    )
    hubspot.add_events([event(number) for number in range(people)])
    hubspot.add_events(
        [
            event(1000 + number, type="OPEN", recipient=f"READER{number}@Example.com")
            for number in range(people)
        ]
    )

    run = extract(contact_properties=["firstname", "product_user_id"])

    assert run.extra_requests == {CONTACTS: math.ceil(people / 100)}
    contacts = {
        (each["recipient"], each["type"]): each["contact"]
        for each in run.records("email_sent", "email_open")
    }
    assert len(contacts) == 2 * people
    nobody = {"firstname": None, "product_user_id": None}
    for number in range(people):
        known = {"firstname": f"Reader {number}", "product_user_id": None}
        expected = nobody if number % 2 else known
        assert contacts[f"reader{number}@example.com", "SENT"] == expected
        assert contacts[f"READER{number}@Example.com", "OPEN"] == expected


def test_a_missing_scope_is_one_sentence_that_names_it(hubspot: Sandbox, extract: Extract) -> None:
    hubspot.add_events([event(1), event(2, type="OPEN")])
    hubspot.set_token("sandbox-access-token", ["oauth", "content"])

    run = extract(contact_properties=["firstname"])

    assert run.failure.count("`crm.objects.contacts.read`") == 1
    assert "`content`" not in run.failure
    assert not run.records()


def test_a_daily_limit_met_while_enriching_ends_the_run_cleanly(
    hubspot: Sandbox, extract: Extract
) -> None:
    hubspot.add_events([event(1)])
    hubspot.add_fault(
        "hubspot", path=CONTACTS, action="answer", status=429, json={"policyName": "DAILY"}
    )

    run = extract(contact_properties=["firstname"])

    assert not run.failure
    assert not run.records()
    assert "replication_key_value" not in run.state["bookmarks"].get("email_sent", {})
