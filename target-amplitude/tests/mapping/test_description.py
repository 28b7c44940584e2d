"""What an event says of the person's system and place, and of the user it has."""

from __future__ import annotations

from typing import Any

import pytest

from loading.mapping import NOW, event_of, mapped
from loading.messages import email
from target_amplitude.common.image_proxies import is_image_proxy
from target_amplitude.mapping.amplitude_events import is_amplitude_event
from target_amplitude.mapping.events import EventMapper
from target_amplitude.mapping.user_agent import UserAgent, read_user_agent
from target_amplitude.mapping.validation import Refusal, Skip, as_id
from target_amplitude.settings import read_settings

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML) "
    "Mobile/15E148"
)


@pytest.mark.parametrize(
    ("agent", "is_proxy"),
    [
        ("Mozilla/5.0", True),
        (" MOZILLA/5.0 ", True),
        ("Mozilla/5.0 (X11)", False),
        ("something GOOGLEIMAGEPROXY something", True),
        ("", False),
    ],
)
def test_which_agents_are_image_proxies(agent: str, *, is_proxy: bool) -> None:
    assert is_image_proxy(agent) is is_proxy
    assert read_user_agent(agent).is_proxy is is_proxy


def test_a_system_has_its_name_and_version() -> None:
    assert read_user_agent(IPHONE) == UserAgent(is_proxy=False, os_name="iOS", os_version="17.5.1")
    assert read_user_agent("Thunderbird") == UserAgent(is_proxy=False, os_name="", os_version="")
    linux = read_user_agent("Mozilla/5.0 (X11; Linux x86_64)")
    assert linux == UserAgent(is_proxy=False, os_name="Linux", os_version="")


def test_a_system_without_a_version_is_said_all_the_same() -> None:
    event = event_of(email(userAgent="Mozilla/5.0 (X11; Linux x86_64)"))
    assert event["os_name"] == "Linux"
    assert "os_version" not in event


@pytest.mark.parametrize("odd", [5, {"a": 1}, [1], True, "", None])
def test_what_is_no_agent_and_no_place_says_nothing(odd: Any) -> None:
    event = event_of(email(userAgent=odd, location=odd))
    assert not {"os_name", "os_version", "city", "region", "country"} & set(event)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("Zürich", "Zürich"),
        ("x" * 1025, "x" * 1024),
        (" ", None),
        ("", None),
        ("Unknown", None),
        ("unknown", None),
        ("UNKNOWN", None),
        (5, None),
        (None, None),
    ],
)
def test_places_that_are_known_are_said(place: Any, said: str | None) -> None:
    location = {"city": place, "state": place, "country": place}
    event = event_of(email(location=location))
    assert [event.get(name) for name in ("city", "region", "country")] == [said] * 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (" ", ""),
        ("", ""),
        (5, "5"),
        (5.0, "5"),
        (5.5, ""),
        (True, ""),
        (None, ""),
        ([5], ""),
        (10**30, str(10**30)),
        (float("inf"), ""),
        (float("nan"), ""),
    ],
)
def test_ids_are_text_or_whole_numbers(value: Any, text: str) -> None:
    assert (as_id(value) or "") == text


@pytest.mark.parametrize(
    ("record", "is_one"),
    [
        ({"event_type": "x", "user_id": None}, True),
        ({"event_type": "x", "device_id": None}, True),
        ({"event_type": "x"}, False),
        ({"event_type": None, "user_id": "x"}, False),
        ({"user_id": "x"}, False),
    ],
)
def test_which_records_already_are_events(record: dict[str, Any], *, is_one: bool) -> None:
    assert is_amplitude_event(record) is is_one


def test_who_fell_back_to_the_recipient_is_known_of_the_last_event() -> None:
    mapper = EventMapper(read_settings({"api_key": "k", "user_field": "customer"}))
    assert not mapper.fell_back
    seen = []
    for fields in (
        {"customer": "customer-1"},
        {},
        {"customer": "someone@example.com"},
        {},
        {"event_type": "x", "user_id": "customer-1", "type": None},
    ):
        mapper.map(email(**fields), NOW)
        seen.append(mapper.fell_back)
    assert seen == [False, True, False, True, False]


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


@pytest.mark.parametrize("created", [5, NOW + 400 * 86_400_000])
def test_an_event_left_out_by_a_setting_is_not_refused_for_its_time(created: int) -> None:
    record = email(1, created=created)
    skipped = mapped(record, user_field="contact.product_user_id", unknown_users="skip")
    assert isinstance(skipped, Skip)
    assert isinstance(mapped(record), Refusal)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0",
    ],
)
def test_a_mail_proxy_says_nothing_about_the_person(agent: str) -> None:
    location = {"city": "Zürich", "state": "Zürich", "country": "Switzerland"}
    event = event_of(email(userAgent=agent, location=location))
    assert not {"city", "region", "country", "os_name", "os_version"} & set(event)
    assert event["event_properties"]["userAgent"] == agent
    assert event["event_properties"]["location.city"] == "Zürich"
