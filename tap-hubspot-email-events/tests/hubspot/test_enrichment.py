"""Enrichment costs what it adds and no more, and loses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extracting.in_process import Run, event

if TYPE_CHECKING:
    import pytest

    from sandbox.client import Sandbox


def test_switched_off_it_costs_no_request(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.generate(events=1000, days=5)

    run = Run(hubspot, capsys, enrich_campaigns=False)

    assert run.records()
    assert not run.extra_requests
    assert not any({"emailCampaign", "contact"} & each.keys() for each in run.records())


def test_what_has_no_campaign_and_no_recipient_is_asked_about_nowhere(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.add_events([event(1, recipient=None), event(2, recipient="")])

    run = Run(hubspot, capsys, contact_properties=["firstname"])

    assert len(run.records()) == 2
    assert not run.extra_requests
    assert not any({"emailCampaign", "contact"} & each.keys() for each in run.records())


def test_a_quiet_stream_still_costs_one_request(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(hubspot, capsys, contact_properties=["firstname"])

    assert len(run.requests) == 10 + 1


def test_nothing_is_lost_or_left_bare_under_all_sorts_of_failures(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.generate(events=3000, days=20)
    start = "2020-01-01T00:00:00Z"
    for fault in (
        {"action": "answer", "status": 500},
        {"action": "cut"},
        {"action": "half_body"},
        {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}, "json": {}},
    ):
        hubspot.add_fault("hubspot", probability=0.05, **fault)

    run = Run(hubspot, capsys, start_date=start, page_size=200, contact_properties=["firstname"])
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
