"""Amplitude's limits, at the limit and one beyond it, and what is said of it."""

from __future__ import annotations

import math
from hashlib import sha256
from typing import Any

import pytest

from loading.mapping import NOW, event_of, mapped
from loading.messages import email
from target_amplitude.mapping.events import insert_id
from target_amplitude.mapping.properties import Flattener, UnsendableValueError
from target_amplitude.mapping.validation import (
    NEVER_A_USER,
    NO_MAPPING,
    NO_USER,
    Refusal,
    Skip,
    refuse_amplitude_event,
    refuse_event_type,
    refuse_id,
    refuse_time,
)

EVENT: dict[str, Any] = {"event_type": "x", "user_id": "customer", "insert_id": "1"}
YEAR_2000 = 946_684_800_000
YEAR = 366 * 86_400_000


def nested(levels: int, innermost: Any = 1) -> Any:
    value = innermost
    for _ in range(levels):
        value = {"a": value}
    return value


def listed(levels: int, innermost: Any = 1) -> Any:
    value = innermost
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (5, "user_id is not a string"),
        ("abc", "user_id is shorter than 5 characters"),
        ("a@b", "user_id is shorter than 5 characters"),
        ("x" * 1025, "user_id is longer than 1024 characters"),
        ("@" * 1025, "user_id is longer than 1024 characters"),
        ("Anonymous ", "user_id is one of the values Amplitude takes for no id"),
        ("lmy47d", "user_id is one of the values Amplitude takes for no id"),
    ],
)
def test_an_id_that_amplitude_refuses(value: Any, detail: str) -> None:
    assert refuse_id(value, "user_id", 5) == Refusal("invalid id", detail)


@pytest.mark.parametrize("value", ["abcde", "a@bcd", "x" * 1024, "@" * 1024, "anonymous@x"])
def test_an_id_that_amplitude_takes(value: str) -> None:
    assert refuse_id(value, "user_id", 5) is None


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (1.5, "time is not an integer of milliseconds since 1970"),
        (True, "time is not an integer of milliseconds since 1970"),
        (YEAR_2000 - 1, "time is before the year 2000 (seconds, not ms?)"),
        (NOW + YEAR + 1, "time is more than a year ahead"),
    ],
)
def test_a_time_that_cannot_be(value: Any, detail: str) -> None:
    assert refuse_time(value, "time", NOW) == Refusal("invalid time", detail)


def test_a_time_that_can() -> None:
    assert refuse_time(YEAR_2000, "time", NOW) is None
    assert refuse_time(NOW + YEAR, "time", NOW) is None


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (5, "event_type is empty or not a string"),
        (" ", "event_type is empty or not a string"),
        ("[Amplitude] Start Session", "event_type is one of Amplitude's own"),
        ("x" * 1025, "event_type is longer than 1024 characters"),
    ],
)
def test_an_event_type_that_amplitude_refuses(value: Any, detail: str) -> None:
    assert refuse_event_type(value) == Refusal("invalid event type", detail)
    assert refuse_event_type("x" * 1024) is None


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"time": 5}, Refusal("invalid time", "time is before the year 2000 (seconds, not ms?)")),
        (
            {"insert_id": "x" * 1025},
            Refusal("invalid value", "insert_id is not a string of 1024 at most"),
        ),
        ({"insert_id": 5}, Refusal("invalid value", "insert_id is not a string of 1024 at most")),
        ({"event_properties": []}, Refusal("invalid value", "event_properties is not an object")),
        ({"user_properties": "x"}, Refusal("invalid value", "user_properties is not an object")),
        ({"groups": 5}, Refusal("invalid value", "groups is not an object")),
        ({"group_properties": [1]}, Refusal("invalid value", "group_properties is not an object")),
        ({"price": math.inf}, Refusal("invalid value", "a number is not finite")),
        ({"groups": {"a": [math.nan]}}, Refusal("invalid value", "a number is not finite")),
        (
            {"event_properties": nested(41)},
            Refusal("invalid value", "nested deeper than 40 levels"),
        ),
        ({"device_id": "abc"}, Refusal("invalid id", "device_id is shorter than 5 characters")),
    ],
)
def test_an_amplitude_event_that_is_refused(changes: dict[str, Any], refusal: Refusal) -> None:
    assert refuse_amplitude_event(EVENT | changes, NOW, 5) == refusal


def test_what_is_wrong_first_is_what_is_said() -> None:
    wrong = {"event_type": "", "user_id": "a", "time": 5, "insert_id": 5, "groups": 5}
    for name, reason in (
        ("event_type", "invalid event type"),
        ("user_id", "invalid id"),
        ("time", "invalid time"),
        ("insert_id", "invalid value"),
    ):
        refusal = refuse_amplitude_event(wrong, NOW, 5)
        assert refusal is not None
        assert refusal.reason == reason
        wrong |= {name: {"event_type": "x", "user_id": "customer", "time": NOW}.get(name, "i")}
    assert refuse_amplitude_event(wrong, NOW, 5) == Refusal(
        "invalid value", "groups is not an object"
    )


def test_an_amplitude_event_at_every_limit() -> None:
    event = EVENT | {
        "insert_id": "x" * 1024,
        "user_properties": {},
        "groups": {},
        "group_properties": {},
        "event_properties": nested(40),
    }
    assert refuse_amplitude_event(event, NOW, 5) is None


def test_an_email_is_nested_forty_levels_at_most() -> None:
    assert isinstance(mapped(email(deep=nested(39))), dict)
    assert isinstance(mapped(email(deep=nested(38, listed(2)))), dict)
    for deep in (listed(39), listed(40, "x"), [nested(38)]):
        assert event_of(email(deep=deep))["event_properties"]["deep"] == deep
    for deep in (nested(40), listed(40), [nested(39)], nested(38, listed(3))):
        assert mapped(email(deep=deep)) == Refusal("invalid value", "nested deeper than 40 levels")


def test_properties_are_1024_at_most() -> None:
    flattener = Flattener()
    many = {f"field{number}": 1 for number in range(1024)}
    assert flattener.flatten(many) == many
    with pytest.raises(UnsendableValueError, match=r"^more than 1024 properties$"):
        flattener.flatten(many | {"one": 1})


@pytest.mark.parametrize("length", [60, 61])
def test_a_long_name_is_cut_where_it_is_told(length: int) -> None:
    name = "n" * length
    said = name if length == 60 else f"{name[:60]}..."
    with pytest.raises(UnsendableValueError) as caught:
        Flattener().flatten({name: math.inf})
    assert str(caught.value) == f"{said} is not a finite number"


def test_parts_that_are_empty_are_left_out_at_every_level() -> None:
    record: dict[str, Any] = {
        "list": ["", None, [], {}, "a", 0, False, [None, "b"], {"c": None, "d": ""}, {"e": 1}],
        "object": {"a": None, "b": "", "c": [], "d": {}, "e": {"f": ("x",)}, "g": 0.5, "h": False},
        "tuple": ("x" * 1025, {"long": "y" * 1025}),
        "none": None,
        "zero": 0.0,
        "top": "t" * 1025,
        "exact": "u" * 1024,
        "long": {"text": "z" * 1025, "more": {"text": "z" * 1024}},
    }
    assert Flattener().flatten(record) == {
        "top": "t" * 1024,
        "exact": "u" * 1024,
        "long.text": "z" * 1024,
        "long.more.text": "z" * 1024,
        "list": ["a", 0, False, ["b"], {"e": 1}],
        "object.e.f": ["x"],
        "object.g": 0.5,
        "object.h": False,
        "tuple": ["x" * 1024, {"long": "y" * 1024}],
        "zero": 0.0,
    }


def test_names_are_forgotten_before_they_fill_the_memory() -> None:
    flattener = Flattener()
    for number in range(10_050):
        assert flattener.flatten({"a": {f"b{number}": 1}}) == {f"a.b{number}": 1}
    assert len(flattener._names.get("a", {})) < 10_000  # noqa: SLF001 - what the promise is about


def test_an_insert_id_is_short_and_the_same_for_the_same_event() -> None:
    assert insert_id(4711, 5, "a") == "hubspot:4711:5:a"
    assert insert_id("4711", 5, "a") == "hubspot:4711:5:a"
    assert insert_id(4711.0, 5, "a") == "hubspot:4711:5:a"
    longest = "x" * (1023 - len("hubspot:1:5:"))
    assert insert_id(1, 5, longest) == f"hubspot:1:5:{longest}"
    digest = sha256(f"hubspot:1:5:{longest}x".encode()).hexdigest()
    assert insert_id(1, 5, f"{longest}x") == f"hubspot:{digest}"
    assert len(insert_id(1, 5, "\ud800" * 1024)) == len("hubspot:") + 64


@pytest.mark.parametrize("created", [YEAR_2000 - 1, NOW + YEAR + 1])
def test_an_email_of_an_impossible_time_is_refused_by_the_field_it_came_in(created: int) -> None:
    refusal = mapped(email(created=created))
    assert isinstance(refusal, Refusal)
    assert refusal.detail.startswith("created is ")


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"type": 5}, NO_MAPPING),
        ({"type": ""}, NO_MAPPING),
        ({"id": None}, NO_MAPPING),
        ({"recipient": None, "portalId": None}, NO_MAPPING),
        ({"recipient": None, "type": "UNBOUNCE"}, NEVER_A_USER),
        ({"recipient": " "}, NO_USER),
    ],
)
def test_what_is_no_event(fields: dict[str, Any], outcome: Refusal) -> None:
    assert mapped(email(**fields)) == outcome


def test_an_account_is_not_needed_where_there_is_a_recipient() -> None:
    assert event_of(email(portalId=None))["user_id"] == email()["recipient"]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"created": "soon"}, "created is neither RFC 3339 text nor milliseconds"),
        ({"recipient": "abc"}, "recipient is shorter than 5 characters"),
    ],
)
def test_what_is_wrong_is_said_with_the_field(fields: dict[str, Any], detail: str) -> None:
    refusal = mapped(email(**fields))
    assert isinstance(refusal, Refusal)
    assert refusal.detail == detail


def test_an_event_of_just_a_day_ago_is_recent() -> None:
    time = event_of(email())["time"]
    assert "$skip_user_properties_sync" not in event_of(email(), now=time + 86_400_000)
    assert event_of(email(), now=time + 86_400_001)["$skip_user_properties_sync"]


def test_who_is_left_out_by_a_setting_is_skipped_with_the_reason() -> None:
    skipped = mapped(email(), user_field="customer", unknown_users="skip")
    assert skipped == Skip("no value in user_field")
