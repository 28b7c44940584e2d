from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loading.messages import email
from target_amplitude import LIBRARY
from target_amplitude.mapping import EventMapper, Refusal, Skip
from target_amplitude.mapping.timestamps import to_milliseconds
from target_amplitude.mapping.user_agent import read_user_agent
from target_amplitude.settings import read_settings

NOW = 1_796_000_000_000  # 2026-11-29
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/99.0 Safari/537"
)


def mapped(record: dict[str, Any], now: int = NOW, **settings: Any) -> Any:
    return EventMapper(read_settings({"api_key": "k"} | settings)).map(record, now)


def event_of(record: dict[str, Any], now: int = NOW, **settings: Any) -> dict[str, Any]:
    event = mapped(record, now, **settings)
    assert isinstance(event, dict)
    return event


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
    assert event_of(email(type=kind), event_type_prefix="")["event_type"] == name
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


@given(st.datetimes(datetime(2006, 1, 1), datetime(2026, 12, 1)))  # noqa: DTZ001 - made aware below
def test_every_millisecond_is_read_right(moment: datetime) -> None:
    moment = moment.replace(tzinfo=timezone.utc, microsecond=moment.microsecond // 1000 * 1000)
    millis = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert to_milliseconds(text) == to_milliseconds(text) == millis


@pytest.mark.parametrize("learnt", ["1999-12-31T00:00:00.000Z", "1999-12-31 23:59:59.999"])
def test_one_time_of_a_day_tells_the_others_right(learnt: str) -> None:
    assert to_milliseconds(learnt) is not None
    midnight = datetime(1999, 12, 30, tzinfo=timezone.utc)
    for hours in range(72):
        moment = midnight + timedelta(hours=hours, minutes=8, seconds=9, milliseconds=10)
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert to_milliseconds(text) == moment.timestamp() * 1000


def test_ids_of_several_portals_differ_and_stay_short() -> None:
    ids = {
        event_of(email(portalId=portal, id=identifier))["insert_id"]
        for portal in (1, 2)
        for identifier in ("a", "b", "x" * 5000, "y" * 5000)
    }
    assert len(ids) == 8
    assert all(len(each) < 1024 for each in ids)
    assert event_of(email(portalId="1"))["insert_id"] == event_of(email(portalId=1))["insert_id"]


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
    assert isinstance(skipped, Skip)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0",
    ],
)
def test_a_mail_proxy_says_nothing_about_the_person(agent: str) -> None:
    event = event_of(opened() | {"userAgent": agent})
    assert not {"city", "region", "country", "os_name", "os_version"} & set(event)
    assert event["event_properties"]["userAgent"] == agent
    assert event["event_properties"]["location.city"] == "Zürich"


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
        ({"recipient": None}, "no recipient"),
        ({"recipient": ""}, "no recipient"),
        ({"type": None}, "no mapping"),
        ({"created": None}, "no mapping"),
    ],
)
def test_what_amplitude_would_refuse_is_refused_here(fields: dict[str, Any], reason: str) -> None:
    refusal = mapped(email(**fields))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason
    assert refusal.counted == (reason not in {"no recipient", "no mapping"})
    assert "@" not in refusal.detail


def test_a_value_nested_too_deep_is_refused() -> None:
    value: Any = 1
    for _ in range(60):
        value = {"a": [value]}
    assert mapped(email(deep=value)).reason == "invalid value"


def test_a_shorter_minimum_takes_shorter_ids() -> None:
    assert event_of(email(recipient="a@b"), min_id_length=3)["user_id"] == "a@b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
NEVER_SENT = {"ip", "client_upload_time", "session_id", "event_id"}


def is_clean(value: Any) -> bool:
    if isinstance(value, (list, dict)):
        items = value.values() if isinstance(value, dict) else value
        return bool(value) and all(is_clean(item) for item in items)
    return value is not None and value != ""


@given(st.dictionaries(st.text(min_size=1, max_size=12), JSON, max_size=8))
def test_any_field_hubspot_adds_becomes_clean_flat_properties(fields: dict[str, Any]) -> None:
    record = fields | email()
    event = mapped(record)
    if isinstance(event, Refusal):
        assert math.inf in _floats(record) or -math.inf in _floats(record)
        return
    assert isinstance(event, dict)
    properties = event["event_properties"]
    assert not any(isinstance(value, dict) for value in properties.values())
    assert all(is_clean(value) for value in properties.values())
    assert not NEVER_SENT & set(event)
    assert not {"type", "created", "recipient"} & set(properties)
    assert msgspec.json.decode(msgspec.json.encode(event)) == event
    for name, value in record.items():
        if isinstance(value, (int, float)) and name not in event:
            assert properties[name] == value


def _floats(value: Any) -> list[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in _floats(item)]
    return [value] if isinstance(value, float) else []


@given(st.text(max_size=3000))
def test_strings_are_cut_at_1024_characters(text: str) -> None:
    properties = event_of(email(url=text, replyTo=[text], nested={"url": text}))["event_properties"]
    expected = text[:1024] or None
    assert properties.get("url") == properties.get("nested.url") == expected
    assert properties.get("replyTo") == ([expected] if expected else None)


@pytest.mark.parametrize("created", [5, NOW + 400 * 86_400_000])
def test_an_event_left_out_by_a_setting_is_not_refused_for_its_time(created: int) -> None:
    record = email(1, created=created)
    skipped = mapped(record, user_field="contact.product_user_id", unknown_users="skip")
    assert isinstance(skipped, Skip)
    assert isinstance(mapped(record), Refusal)
