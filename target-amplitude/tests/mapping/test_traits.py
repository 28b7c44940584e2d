"""User properties and groups: which values are sent, and that nothing else of the event changes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from loading.mapping import NOW, event_of, mapped
from loading.messages import email
from target_amplitude.mapping.events import SKIP_SYNC
from target_amplitude.mapping.validation import INVALID_VALUE, Refusal

CONTACT = {"lifecyclestage": "lead", "plan": "team", "associatedcompanyid": "70001", "gone": None}
PERSON: dict[str, Any] = {
    "user_property_fields": {"stage": "contact.lifecyclestage", "plan": "contact.plan"},
    "group_fields": {"company": "contact.associatedcompanyid"},
}
DAY = 86_400_000


def property_of(value: Any) -> Any:
    """What is sent of a value, None where nothing is."""
    event = event_of(email(contact={"x": value}), user_property_fields={"x": "contact.x"})
    return event.get("user_properties", {}).get("x")


def groups_of(value: Any, **others: str) -> Any:
    event = event_of(email(contact={"x": value}), group_fields={"company": "contact.x"} | others)
    return event.get("groups", {}).get("company")


def test_an_event_brings_both_and_else_stays_the_same() -> None:
    record = email(contact=CONTACT)
    event = event_of(record, **PERSON)
    assert event.pop("user_properties") == {"stage": "lead", "plan": "team"}
    assert event.pop("groups") == {"company": "70001"}
    assert event == event_of(record)


def test_fields_that_are_no_event_properties_can_be_named() -> None:
    event = event_of(
        email(), user_property_fields={"address": "recipient", "last": "type", "at": "created"}
    )
    assert event["user_properties"] == {
        "address": "user-1@example.com",
        "last": "OPEN",
        "at": "2026-11-01T00:00:01.000Z",
    }
    assert not {"recipient", "type", "created"} & event["event_properties"].keys()


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("lead", "lead"),
        ("x" * 1025, "x" * 1024),
        (7, 7),
        (0, 0),
        (1.5, 1.5),
        (False, False),
        (["a", None, "", "x" * 1025], ["a", "x" * 1024]),
        (None, None),
        ("", None),
        ([], None),
        ({}, None),
        ({"a": 1}, None),
    ],
)
def test_a_user_property_is_cleaned_as_event_properties_are(value: Any, sent: Any) -> None:
    assert property_of(value) == sent
    assert type(property_of(value)) is type(sent)


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_a_number_that_json_cannot_carry_is_refused(value: Any) -> None:
    refusal = mapped(email(contact={"x": value}), user_property_fields={"x": "contact.x"})
    assert isinstance(refusal, Refusal)
    assert refusal.reason == INVALID_VALUE


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("70001", "70001"),
        ("x" * 1025, "x" * 1024),
        (70001, "70001"),
        (70001.0, "70001"),
        (["a", "b", "a", 7, None, " ", {"c": 1}], ["a", "b", "7"]),
        (" ", None),
        ("", None),
        (None, None),
        (True, None),
        (0.5, None),
        ([], None),
        ([[], {}], None),
        ({"id": "7"}, None),
    ],
)
def test_a_group_is_text_or_a_list_of_it(value: Any, sent: Any) -> None:
    assert groups_of(value) == sent


@pytest.mark.parametrize("types", range(1, 6))
def test_no_event_has_more_groups_than_amplitude_takes(types: int) -> None:
    names = [f"type-{number}" for number in range(types)]
    values = [str(number) for number in range(20)]
    event = event_of(
        email(contact=dict.fromkeys(names, values)),
        group_fields={name: f"contact.{name}" for name in names},
    )
    assert list(event["groups"]) == names
    assert all(group == values[: 10 // types] for group in event["groups"].values())
    assert event["event_properties"]["contact.type-0"] == values


@pytest.mark.parametrize(
    ("mode", "age", "is_sent", "is_skipped"),
    [
        ("recent", DAY, True, False),
        ("recent", DAY + 1, True, True),
        ("always", 400 * DAY, True, False),
        ("never", 0, True, True),
        ("off", 2 * DAY, False, False),
    ],
)
def test_what_is_said_of_the_person_obeys_the_mode_and_groups_do_not(
    mode: str, age: int, *, is_sent: bool, is_skipped: bool
) -> None:
    record = email(
        created=NOW - age,
        contact=CONTACT,
        location={"city": "Zürich"},
        userAgent="Mozilla/5.0 (X11; Linux x86_64)",
    )
    event = event_of(record, user_properties=mode, **PERSON)
    for name in ("user_properties", "city", "os_name"):
        assert (name in event) is is_sent
    assert event.get(SKIP_SYNC, False) is is_skipped
    assert event["groups"] == {"company": "70001"}
    assert event["event_properties"]["location.city"] == "Zürich"


def test_an_event_from_a_stream_map_keeps_its_own() -> None:
    own = {"event_type": "Ordered", "user_id": "user-1", "user_properties": {"plan": "free"}}
    event = event_of(own | {"contact": CONTACT}, **PERSON)
    assert event["user_properties"] == {"plan": "free"}
    assert "groups" not in event
