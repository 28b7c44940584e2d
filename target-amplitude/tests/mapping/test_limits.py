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
    EARLIEST_MS,
    INVALID_EVENT_TYPE,
    INVALID_ID,
    INVALID_TIME,
    INVALID_VALUE,
    MAX_AHEAD_MS,
    Refusal,
    as_id,
    refuse_amplitude_event,
)

EVENT: dict[str, Any] = {"event_type": "x", "user_id": "customer", "insert_id": "1"}


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
    ("changes", "reason", "detail"),
    [
        ({"event_type": 5}, INVALID_EVENT_TYPE, "event_type is empty or not a string"),
        ({"event_type": " "}, INVALID_EVENT_TYPE, "event_type is empty or not a string"),
        (
            {"event_type": "[Amplitude] Start Session"},
            INVALID_EVENT_TYPE,
            "event_type is one of Amplitude's own",
        ),
        (
            {"event_type": "x" * 1025},
            INVALID_EVENT_TYPE,
            "event_type is longer than 1024 characters",
        ),
        ({"user_id": 5}, INVALID_ID, "user_id is not a string"),
        ({"user_id": "abc"}, INVALID_ID, "user_id is shorter than 5 characters"),
        ({"user_id": "a@b"}, INVALID_ID, "user_id is shorter than 5 characters"),
        ({"device_id": "abc"}, INVALID_ID, "device_id is shorter than 5 characters"),
        ({"user_id": "x" * 1025}, INVALID_ID, "user_id is longer than 1024 characters"),
        ({"user_id": "@" * 1025}, INVALID_ID, "user_id is longer than 1024 characters"),
        (
            {"user_id": "Anonymous "},
            INVALID_ID,
            "user_id is one of the values Amplitude takes for no id",
        ),
        (
            {"user_id": "lmy47d"},
            INVALID_ID,
            "user_id is one of the values Amplitude takes for no id",
        ),
        ({"time": 1.5}, INVALID_TIME, "time is not an integer of milliseconds since 1970"),
        ({"time": True}, INVALID_TIME, "time is not an integer of milliseconds since 1970"),
        (
            {"time": EARLIEST_MS - 1},
            INVALID_TIME,
            "time is before the year 2000 (seconds, not ms?)",
        ),
        ({"time": NOW + MAX_AHEAD_MS + 1}, INVALID_TIME, "time is more than a year ahead"),
        ({"insert_id": "x" * 1025}, INVALID_VALUE, "insert_id is not a string of 1024 at most"),
        ({"insert_id": 5}, INVALID_VALUE, "insert_id is not a string of 1024 at most"),
        ({"event_properties": []}, INVALID_VALUE, "event_properties is not an object"),
        ({"user_properties": "x"}, INVALID_VALUE, "user_properties is not an object"),
        ({"groups": 5}, INVALID_VALUE, "groups is not an object"),
        ({"group_properties": [1]}, INVALID_VALUE, "group_properties is not an object"),
        ({"price": math.inf}, INVALID_VALUE, "a number is not finite"),
        ({"groups": {"a": [math.nan]}}, INVALID_VALUE, "a number is not finite"),
        ({"event_properties": nested(41)}, INVALID_VALUE, "nested deeper than 40 levels"),
    ],
)
def test_an_amplitude_event_that_is_refused(
    changes: dict[str, Any], reason: str, detail: str
) -> None:
    assert refuse_amplitude_event(EVENT | changes, NOW, 5) == Refusal(reason, detail)


LIMITS: dict[str, list[Any]] = {
    "event_type": ["x" * 1024],
    "user_id": ["abcde", "a@bcd", "x" * 1024, "@" * 1024, "anonymous@x"],
    "time": [EARLIEST_MS, NOW + MAX_AHEAD_MS],
    "insert_id": ["x" * 1024],
    "event_properties": [nested(40)],
    "user_properties": [{}],
    "groups": [{}],
    "group_properties": [{}],
}


@pytest.mark.parametrize("name", LIMITS)
def test_an_amplitude_event_at_its_limits_is_taken(name: str) -> None:
    for value in LIMITS[name]:
        assert refuse_amplitude_event(EVENT | {name: value}, NOW, 5) is None


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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (" ", ""),
        (5.0, "5"),
        (5.5, ""),
        (True, ""),
        (None, ""),
        ([5], ""),
        (10**30, str(10**30)),
        (float("inf"), ""),
    ],
)
def test_ids_are_text_or_whole_numbers(value: Any, text: str) -> None:
    assert as_id(value) == text
