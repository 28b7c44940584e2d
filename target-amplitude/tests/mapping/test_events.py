"""An email record becomes the event of the contract, or is refused with the reason."""

from __future__ import annotations

import math
from typing import Any

import pytest

from loading.mapping import NOW, event_of, mapped
from loading.messages import email
from target_amplitude import LIBRARY
from target_amplitude.mapping.validation import (
    EARLIEST_MS,
    INVALID_ID,
    INVALID_TIME,
    INVALID_VALUE,
    MAX_AHEAD_MS,
    NEVER_A_USER,
    NO_MAPPING,
    NO_USER,
    Refusal,
    Skip,
)

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/99.0 Safari/537"
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
        ("STATUSCHANGE", "EMAIL_STATUS_CHANGE"),
        ("SPAMREPORT", "EMAIL_SPAM_REPORT"),
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
        "2026-11-01T01:00:01+01:00",
        "1793491201000",
        1793491201000,
        1793491201000.0,
    ],
)
def test_an_event_is_the_same_however_created_is_written(created: Any) -> None:
    event = event_of(email(created=created))
    assert event["time"] == 1793491201000
    assert event["insert_id"] == "hubspot:4711:1793491201000:event-1"


NO_TIME = Refusal(INVALID_TIME, "created is neither RFC 3339 text nor milliseconds")
TOO_EARLY = Refusal(INVALID_TIME, "created is before the year 2000 (seconds, not ms?)")
TOO_LATE = Refusal(INVALID_TIME, "created is more than a year ahead")
LONG_ID = Refusal(INVALID_ID, "recipient is longer than 1024 characters")
SHORT_ID = Refusal(INVALID_ID, "recipient is shorter than 5 characters")


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"created": "soon"}, NO_TIME),
        ({"created": True}, NO_TIME),
        ({"created": []}, NO_TIME),
        ({"created": 0}, TOO_EARLY),
        ({"created": EARLIEST_MS - 1}, TOO_EARLY),
        (
            {"created": NOW + MAX_AHEAD_MS + 1},
            Refusal(INVALID_TIME, "created is more than a year ahead"),
        ),
        ({"recipient": "NULL"}, SHORT_ID),
        ({"recipient": "a@b"}, SHORT_ID),
        (
            {"recipient": "x" * 2000},
            Refusal(INVALID_ID, "recipient is longer than 1024 characters"),
        ),
        ({"weight": math.inf}, Refusal(INVALID_VALUE, "weight is not a finite number")),
        ({"a": [{"b": math.nan}]}, Refusal(INVALID_VALUE, "a is not a finite number")),
        ({"recipient": None}, NO_USER),
        ({"recipient": ""}, NO_USER),
        ({"recipient": " "}, NO_USER),
        ({"recipient": None, "type": "UNBOUNCE"}, NEVER_A_USER),
        ({"recipient": None, "portalId": None}, NO_MAPPING),
        ({"type": None}, NO_MAPPING),
        ({"type": ""}, NO_MAPPING),
        ({"type": 5}, NO_MAPPING),
        ({"created": None}, NO_MAPPING),
        ({"id": None}, NO_MAPPING),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(
    fields: dict[str, Any], outcome: Refusal
) -> None:
    assert mapped(email(**fields)) == outcome


def test_an_account_is_not_needed_where_there_is_a_recipient() -> None:
    assert event_of(email(portalId=None))["user_id"] == email()["recipient"]


def test_a_shorter_minimum_takes_shorter_ids() -> None:
    assert event_of(email(recipient="a@b"), min_id_length=3)["user_id"] == "a@b"


def test_the_user_id_comes_from_the_user_field() -> None:
    known = email(contact={"product_user_id": 123456, "plan": "pro"})
    event = event_of(known, user_field="contact.product_user_id")
    assert event["user_id"] == "123456"
    assert event["event_properties"]["recipient"] == known["recipient"]
    assert event["event_properties"]["contact.plan"] == "pro"
    assert "contact.product_user_id" not in event["event_properties"]


@pytest.mark.parametrize("contact", [None, {}, {"product_user_id": None}, {"product_user_id": ""}])
def test_unknown_users_are_the_recipient_or_skipped(contact: Any) -> None:
    record = email(contact=contact)
    event = event_of(record, user_field="contact.product_user_id")
    assert event["user_id"] == record["recipient"]
    assert "recipient" not in event["event_properties"]
    skipped = mapped(record, user_field="contact.product_user_id", unknown_users="skip")
    assert skipped == Skip("no value in user_field")


@pytest.mark.parametrize("created", [5, NOW + 400 * 86_400_000])
def test_an_event_left_out_by_a_setting_is_not_refused_for_its_time(created: int) -> None:
    skipped = mapped(email(created=created), user_field="customer", unknown_users="skip")
    assert isinstance(skipped, Skip)
