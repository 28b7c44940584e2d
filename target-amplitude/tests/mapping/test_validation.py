"""Records that already are Amplitude events."""

from __future__ import annotations

import math
from typing import Any

import pytest

from loading.mapping import mapped
from target_amplitude import LIBRARY
from target_amplitude.mapping.validation import Refusal


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"event_type": ""}, "event_type"),
        ({"event_type": "[Amplitude] Revenue"}, "event_type"),
        ({"user_id": 123}, "user_id"),
        ({"user_id": True}, "user_id"),
        ({"user_id": 12345.5}, "user_id"),
        ({"user_id": "abc"}, "user_id"),
        ({"device_id": "unknown"}, "device_id"),
        ({"time": "yesterday"}, "time"),
        ({"time": 1.5}, "time"),
        ({"time": 1793491201}, "time"),
        ({"insert_id": [5]}, "insert_id"),
        ({"event_properties": "x"}, "event_properties"),
        ({"event_properties": {"x": math.nan}}, "finite"),
    ],
)
def test_an_amplitude_event_is_checked(changes: dict[str, Any], detail: str) -> None:
    event = {"event_type": "x", "user_id": "customer", "insert_id": "1"}
    assert mapped(event) == event | {"library": LIBRARY}
    refusal = mapped(event | changes)
    assert isinstance(refusal, Refusal)
    assert detail in refusal.detail


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
