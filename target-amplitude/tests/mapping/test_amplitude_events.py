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


@pytest.mark.parametrize("missing", [{"user_id": None}, {"user_id": None, "device_id": None}])
def test_an_event_without_its_user_is_no_stream_without_a_mapping(missing: dict[str, Any]) -> None:
    assert mapped(EVENT | missing) is NO_USER


def test_a_record_that_only_has_an_event_type_has_no_mapping() -> None:
    assert mapped({"event_type": "login", "id": 1}) is NO_MAPPING


SDC = {"_sdc_batched_at": "2026-11-01T00:00:00Z", "_sdc_sequence": 5, "_sdc_deleted_at": "x"}


def test_what_the_sdk_adds_is_no_property() -> None:
    assert event_of(email() | SDC) == event_of(email())
    assert event_of(EVENT | SDC) == event_of(EVENT)


@pytest.mark.parametrize("odd", [5, "x", [1]])
def test_properties_that_are_no_object_are_refused(odd: Any) -> None:
    refusal = mapped(EVENT | {"event_properties": odd, "shop": "x"})
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "event_properties is not an object"


@pytest.mark.parametrize(
    ("name", "value"), [("time", "soon"), ("user_id", 5.5), ("device_id", True), ("insert_id", [5])]
)
def test_what_cannot_be_put_right_is_refused_by_name(name: str, value: Any) -> None:
    refusal = mapped(EVENT | {name: value})
    assert isinstance(refusal, Refusal)
    assert refusal.detail.startswith(name)


def test_an_event_may_have_a_device_and_no_user() -> None:
    assert event_of({"event_type": "x", "device_id": "device-1", "user_id": None})["device_id"]
    assert event_of(EVENT | {"library": "mine"})["library"] == "mine"
    assert event_of(EVENT)["library"] == LIBRARY
    assert "event_properties" not in event_of(EVENT)
    assert event_of(EVENT | {"shop": "x"})["event_properties"] == {"shop": "x"}


def test_an_amplitude_event_loses_only_what_is_null() -> None:
    event = {
        "event_type": "x",
        "device_id": "device-1",
        "user_id": None,
        "library": "mine",
        "_sdc_batched_at": "now",
        "event_properties": {"a": None},
    }
    assert mapped(event) == {
        "event_type": "x",
        "device_id": "device-1",
        "library": "mine",
        "event_properties": {"a": None},
    }
