from __future__ import annotations

import math
from typing import Any

import pytest

from loading.mapping import event_of, mapped
from loading.messages import email
from target_amplitude import LIBRARY
from target_amplitude.mapping.timestamps import to_milliseconds
from target_amplitude.mapping.user_agent import read_user_agent
from target_amplitude.mapping.validation import Refusal

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/99.0 Safari/537"
)


def opened(**fields: Any) -> dict[str, Any]:
    return email(
        1,
        userAgent=CHROME,
        location={"city": "Zürich", "state": "Zürich", "country": "Switzerland"},
        **fields,
    )


def test_an_open_becomes_the_event_of_the_table() -> None:
    record = {
        "id": "8b6b1c2e",
        "created": "2026-11-01T08:53:20.000Z",
        "type": "OPEN",
        "portalId": 62515,
        "recipient": "Ann@Example.com",
        "appName": "Batch",
        "emailCampaignId": 9007199254740993,
        "smtpId": None,
        "referer": "",
        "cc": [],
        "filteredEvent": False,
        "duration": 0,
        "browser": {"name": "Chrome", "version": ["Chrome 99"], "url": None},
        "location": {"city": "Dublin", "state": "Leinster", "country": "Ireland", "latitude": 53.3},
        "sentBy": {"id": "1a", "created": 1793000000000},
        "emailCampaign": {"name": "Newsletter"},
        "userAgent": CHROME,
    }
    assert event_of(record) == {
        "event_type": "[HubSpot] EMAIL_OPEN",
        "user_id": "Ann@Example.com",
        "time": 1793523200000,
        "insert_id": "hubspot:62515:1793523200000:8b6b1c2e",
        "city": "Dublin",
        "region": "Leinster",
        "country": "Ireland",
        "os_name": "Windows",
        "os_version": "10",
        "event_properties": {
            "id": "8b6b1c2e",
            "portalId": 62515,
            "appName": "Batch",
            "emailCampaignId": 9007199254740993,
            "filteredEvent": False,
            "duration": 0,
            "browser.name": "Chrome",
            "browser.version": ["Chrome 99"],
            "location.city": "Dublin",
            "location.state": "Leinster",
            "location.country": "Ireland",
            "location.latitude": 53.3,
            "sentBy.id": "1a",
            "sentBy.created": 1793000000000,
            "emailCampaign.name": "Newsletter",
            "userAgent": CHROME,
        },
        "library": LIBRARY,
        "$skip_user_properties_sync": True,
    }


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("SENT", "EMAIL_SENT"),
        ("DROPPED", "EMAIL_DROPPED"),
        ("PROCESSED", "EMAIL_PROCESSED"),
        ("DELIVERED", "EMAIL_DELIVERED"),
        ("DEFERRED", "EMAIL_DEFERRED"),
        ("BOUNCE", "EMAIL_BOUNCE"),
        ("OPEN", "EMAIL_OPEN"),
        ("CLICK", "EMAIL_CLICK"),
        ("STATUSCHANGE", "EMAIL_STATUS_CHANGE"),
        ("SPAMREPORT", "EMAIL_SPAM_REPORT"),
        ("FORWARD", "EMAIL_FORWARD"),
        ("MTA_DROPPED", "EMAIL_MTA_DROPPED"),
    ],
)
def test_types_have_amplitudes_names(kind: str, name: str) -> None:
    assert event_of(email(type=kind))["event_type"] == f"[HubSpot] {name}"
    assert event_of(email(type=kind), event_type_prefix="x ")["event_type"] == f"x {name}"
    renamed = event_of(email(type=kind), event_types={kind: "Mail"})
    assert renamed["event_type"] == "Mail"


@pytest.mark.parametrize(
    "created",
    [
        "2026-11-01T00:00:01.000Z",
        "2026-11-01T00:00:01Z",
        "2026-11-01 00:00:01.000000+00:00",
        "2026-11-01T01:00:01+01:00",
        "2026-10-31T18:30:01.000-0530",
        "2026-11-01T00:00:01",
        1793491201000,
        "1793491201000",
        1793491201000.0,
    ],
)
def test_an_event_is_the_same_however_created_is_written(created: Any) -> None:
    event = event_of(email(created=created))
    assert event["time"] == 1793491201000
    assert event["insert_id"] == "hubspot:4711:1793491201000:event-1"


@pytest.mark.parametrize("created", ["yesterday", "2026-13-01T00:00:00Z", 1793491201, True, [], 0])
def test_a_created_that_is_no_time_is_refused(created: Any) -> None:
    refusal = mapped(email(created=created))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "invalid time"


def test_ids_of_several_portals_differ_and_stay_short() -> None:
    ids = {
        event_of(email(portalId=portal, id=identifier))["insert_id"]
        for portal in (1, 2)
        for identifier in ("a", "b", "x" * 5000, "y" * 5000)
    }
    assert len(ids) == 8
    assert all(len(each) < 1024 for each in ids)
    assert event_of(email(portalId="1"))["insert_id"] == event_of(email(portalId=1))["insert_id"]


def test_what_is_unknown_is_left_off() -> None:
    event = event_of(opened() | {"location": {"city": "Unknown", "state": "", "country": "Peru"}})
    assert "city" not in event
    assert "region" not in event
    assert event["country"] == "Peru"
    assert read_user_agent("Something/1.0").os_name == ""


@pytest.mark.parametrize(
    ("mode", "hours", "flag", "sent"),
    [
        ("recent", 23, None, True),
        ("recent", 25, True, True),
        ("always", 25, None, True),
        ("never", 1, True, True),
        ("off", 25, None, False),
    ],
)
def test_user_properties_modes(mode: str, hours: int, flag: bool | None, sent: bool) -> None:  # noqa: FBT001
    record = opened()
    time = to_milliseconds(record["created"])
    assert time is not None
    event = event_of(record, now=time + hours * 3_600_000, user_properties=mode)
    assert event.get("$skip_user_properties_sync") is flag
    assert ("city" in event, "os_name" in event) == (sent, sent)
    assert event["event_properties"]["location.city"] == "Zürich"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"recipient": "NULL"}, "invalid id"),
        ({"recipient": "a@b"}, "invalid id"),
        ({"recipient": "x" * 2000}, "invalid id"),
        ({"weight": math.inf}, "invalid value"),
        ({"a": [{"b": math.nan}]}, "invalid value"),
        ({f"field{number}": 1 for number in range(1025)}, "invalid value"),
        ({"recipient": None}, "no user"),
        ({"recipient": ""}, "no user"),
        ({"type": None}, "no mapping"),
        ({"created": None}, "no mapping"),
    ],
)
def test_what_amplitude_would_refuse_is_refused_here(fields: dict[str, Any], reason: str) -> None:
    refusal = mapped(email(**fields))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason
    assert refusal.counted == (reason != "no mapping")
    assert "@" not in refusal.detail


def test_a_shorter_minimum_takes_shorter_ids() -> None:
    assert event_of(email(recipient="a@b"), min_id_length=3)["user_id"] == "a@b"
