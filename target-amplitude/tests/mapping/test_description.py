"""What an event says of the person's system and place."""

from __future__ import annotations

from typing import Any

import pytest

from loading.mapping import event_of
from loading.messages import email
from target_amplitude.mapping.user_agent import UserAgent, read_user_agent

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML) "
    "Mobile/15E148"
)


def test_a_system_has_its_name_and_version() -> None:
    assert read_user_agent(IPHONE) == UserAgent(is_proxy=False, os_name="iOS", os_version="17.5.1")
    assert read_user_agent("Thunderbird") == UserAgent(is_proxy=False, os_name="", os_version="")


def test_a_system_without_a_version_is_said_all_the_same() -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64)"
    assert read_user_agent(agent) == UserAgent(is_proxy=False, os_name="Linux", os_version="")
    event = event_of(email(userAgent=agent))
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
    "agent",
    [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0",
        " MOZILLA/5.0 ",
        "SeznamEmailProxy/2.0.174",
        "HEY.com/ImageProxy 1.0",
        "FastMailUA/1.0",
        "Microsoft Office Existence Discovery",
    ],
)
def test_an_image_proxy_says_nothing_about_the_person(agent: str) -> None:
    location = {"city": "Zürich", "state": "Zürich", "country": "Switzerland"}
    record = email(userAgent=agent, location=location, contact={"plan": "team"})
    event = event_of(record, user_property_fields=["contact.plan"])
    assert not {"city", "region", "country", "os_name", "os_version"} & set(event)
    assert event["event_properties"]["userAgent"] == agent
    assert event["event_properties"]["location.city"] == "Zürich"
    # What the contact says does not come through the proxy.
    assert event["user_properties"] == {"plan": "team"}
