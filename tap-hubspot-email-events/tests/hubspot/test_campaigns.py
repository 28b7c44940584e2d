"""Events carry the names of their campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracting.in_process import Run, event
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

if TYPE_CHECKING:
    import pytest

    from sandbox.client import Sandbox

CAMPAIGN = 243851494
DELETED = 198114233
NAMELESS = dict.fromkeys(("name", "subject", "type", "contentId"))


def test_each_campaign_is_asked_for_once_and_names_all_its_events(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.generate(events=4000, days=20)
    known = {each["id"]: each for each in hubspot.campaigns()}

    run = Run(hubspot, capsys)

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
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.add_events([event(1, emailCampaignId=CAMPAIGN), event(2, type="OPEN")])
    hubspot.add_fault("hubspot", path="/email/public/v1/campaigns", action="cut")

    run = Run(hubspot, capsys, max_retries=1)

    assert "could not be reached" in run.failure
    assert not run.records("email_sent")
    state = [message["value"] for message in run.messages if message["type"] == "STATE"][-1]
    assert "replication_key_value" not in state["bookmarks"].get("email_sent", {})


def test_a_property_deselected_in_one_stream_stays_in_the_others(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.add_events(
        [
            event(number, type=kind, emailCampaignId=CAMPAIGN)
            for number, kind in enumerate(["SENT", "OPEN", "SENT", "OPEN"])
        ]
    )
    tap = TapHubSpotEmailEvents(config={"access_token": "unused"})
    catalog = tap.catalog_dict
    sent = next(each for each in catalog["streams"] if each["tap_stream_id"] == "email_sent")
    for entry in sent["metadata"]:
        if entry["breadcrumb"] == ["properties", "emailCampaign", "properties", "subject"]:
            entry["metadata"]["selected"] = False

    run = Run(hubspot, capsys, catalog=catalog)

    assert len(run.records()) == 4
    assert all("subject" not in each["emailCampaign"] for each in run.records("email_sent"))
    assert all("subject" in each["emailCampaign"] for each in run.records("email_open"))
