"""What stream maps make of other taps' records is put into Amplitude's form."""

from __future__ import annotations

from typing import Any

import pytest

from loading.mapping import event_of, mapped
from loading.messages import email
from target_amplitude import LIBRARY
from target_amplitude.mapping.validation import NO_MAPPING, NO_USER, Refusal

EVENT: dict[str, Any] = {"event_type": "Order Placed", "user_id": "customer-1"}


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("user_id", 1234567, "1234567"),
        ("user_id", 1234567.0, "1234567"),
        ("device_id", 98765, "98765"),
        ("insert_id", 5, "5"),
        ("insert_id", 12345678901234567890, "12345678901234567890"),
        ("time", 1790000000000.0, 1790000000000),
        ("time", "2026-09-21T14:13:20Z", 1790000000000),
        ("time", "2026-09-21T16:13:20.000+02:00", 1790000000000),
        ("time", "1790000000000", 1790000000000),
    ],
)
def test_ids_become_text_and_times_milliseconds(name: str, value: Any, sent: Any) -> None:
    event = event_of(EVENT | {name: value})
    assert event[name] == sent
    assert type(event[name]) is type(sent)


def test_fields_that_amplitude_does_not_know_become_event_properties() -> None:
    event = event_of(
        EVENT
        | {
            "shop": "Zürich",
            "items": [1, 2],
            "price": 9.5,
            "country": "Ireland",
            "event_properties": {"coupon": "x", "shop": "as mapped"},
        }
    )
    assert event["event_properties"] == {"coupon": "x", "shop": "as mapped", "items": [1, 2]}
    assert (event["price"], event["country"]) == (9.5, "Ireland")
    assert "shop" not in event
    assert "items" not in event


@pytest.mark.parametrize(
    ("record", "refusal"),
    [
        ({"event_type": "x", "user_id": None}, NO_USER),
        ({"event_type": "x", "device_id": None}, NO_USER),
        ({"event_type": "x", "id": 1}, NO_MAPPING),
        ({"event_type": None, "user_id": "customer-1"}, NO_MAPPING),
        ({"user_id": "customer-1"}, NO_MAPPING),
    ],
)
def test_which_records_are_meant_as_events(record: dict[str, Any], refusal: Refusal) -> None:
    assert mapped(record) is refusal


SDC = {"_sdc_batched_at": "2026-11-01T00:00:00Z", "_sdc_sequence": 5, "_sdc_deleted_at": "x"}


def test_what_the_sdk_adds_is_no_property() -> None:
    assert event_of(email() | SDC) == event_of(email())
    assert event_of(EVENT | SDC) == event_of(EVENT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time", "soon"),
        ("user_id", 5.5),
        ("device_id", True),
        ("insert_id", [5]),
        ("event_properties", 5),
    ],
)
def test_what_cannot_be_put_right_is_refused_by_name(name: str, value: Any) -> None:
    refusal = mapped(EVENT | {name: value, "shop": "x"})
    assert isinstance(refusal, Refusal)
    assert refusal.detail.startswith(name)


def test_an_event_keeps_what_it_has_and_loses_what_is_null() -> None:
    event = {
        "event_type": "x",
        "device_id": "device-1",
        "library": "mine",
        "event_properties": {"a": None},
    }
    assert mapped(event | {"user_id": None}) == event
    assert event_of(EVENT) == EVENT | {"library": LIBRARY}
    assert event_of(EVENT | {"shop": "x"})["event_properties"] == {"shop": "x"}
