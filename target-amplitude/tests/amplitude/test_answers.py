"""The table from status and body to decision, row by row, and its answer to nonsense."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.amplitude.answers import (
    Answer,
    Bisect,
    Decision,
    Delivered,
    NoAnswer,
    PartialFailure,
    Retry,
    Stop,
    decide,
)

NO_CONFIRMATION = "status 200 without Amplitude's confirmation in it"
TOO_MANY = "status 429 Too Many Requests"
SILENCED = "device is silenced"


@dataclass
class Event:
    user: str
    device: str


EVENTS = [Event(f"user-{number}", f"device-{number}") for number in range(9)] + [Event("own", "")]


def decided(status: int, body: Any = b"", retry_after: float | None = None) -> Decision:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decide(Answer(status, raw, retry_after), EVENTS)


@pytest.mark.parametrize(
    ("status", "body", "decision"),
    [
        (200, {"events_ingested": 3}, Delivered(3)),
        (200, {"code": 200, "events_ingested": -1}, Delivered(None)),
        (200, {"code": 200, "events_ingested": 0}, Delivered(0)),
        (200, {"code": 200, "events_ingested": "3"}, Delivered(None)),
        (200, {"events_ingested": True}, Retry(NO_CONFIRMATION, 4.0)),
        (200, {"code": 399}, Retry(NO_CONFIRMATION, 4.0)),
        (200, {"code": 600}, Retry(NO_CONFIRMATION, 4.0)),
        (200, {"code": 201, "events_ingested": 3}, Retry(NO_CONFIRMATION, 4.0)),
        (200, {"code": 599}, Retry("status 599", 4.0)),
        (200, {"code": 401}, Stop("status 200 Unauthorized", key_refused=True)),
        (200, b"<html></html>", Retry(NO_CONFIRMATION, 4.0)),
        (200, [], Retry(NO_CONFIRMATION, 4.0)),
        (200, {"code": 400}, Bisect("refused by Amplitude", "400 without a reason")),
        (200, {"code": 429}, Retry(TOO_MANY, 4.0, throttled=True)),
        (201, {"code": 400}, Retry("status 201", 4.0)),
        (401, b"", Stop("status 401 Unauthorized", key_refused=True)),
        (403, b"", Bisect("refused by Amplitude's filter", "403 Forbidden")),
        (413, {"error": "Too big"}, Bisect("too large", "Too big")),
        (408, b"", Retry("status 408", 4.0)),
        (425, b"", Retry("status 425", 4.0)),
        (299, b"", Retry("status 299", 4.0)),
        (300, b"", Stop("status 300")),
        (499, b"", Stop("status 499")),
        (500, b"", Retry("status 500", 4.0)),
        (400, b"", Bisect("refused by Amplitude", "400 without a reason")),
        (400, {"error": 5}, Bisect("refused by Amplitude", "400 without a reason")),
        (400, {"error": "x" * 301}, Bisect("refused by Amplitude", "x" * 300 + "…")),
        (400, {"error": "INVALID API KEY"}, Stop("Invalid API key", key_refused=True)),
        (
            400,
            {"error": "No invalid api key"},
            Bisect("refused by Amplitude", "No invalid api key"),
        ),
        (
            400,
            {"missing_field": "f" * 61},
            Stop(f"the request misses {'f' * 60}…", missing="f" * 60 + "…"),
        ),
        (400, {"missing_field": 5}, Bisect("refused by Amplitude", "400 without a reason")),
        (
            400,
            {"events_with_invalid_fields": {"time": [10, -1, "1", None, 2.0, True]}},
            Bisect("refused by Amplitude", "400 without a reason"),
        ),
        (
            400,
            {"events_with_invalid_fields": [1, 2]},
            Bisect("refused by Amplitude", "400 without a reason"),
        ),
        (429, {"throttled_users": {}}, Retry(TOO_MANY, 4.0, throttled=True)),
        (429, {"throttled_events": [10]}, Retry(TOO_MANY, 4.0, throttled=True)),
        (429, {"throttled_users": ["stranger", "", 5]}, Retry(TOO_MANY, 4.0, throttled=True)),
        (400, {"silenced_devices": ["Z"], "error": "No"}, Bisect("refused by Amplitude", "No")),
        (400, {"silenced_devices": ["device-3"]}, PartialFailure({3: SILENCED}, set(), set(), 4.0)),
        (429, {"throttled_events": [4, 10]}, PartialFailure({}, {4}, set(), 4.0)),
        (429, {"throttled_devices": {"device-5": 31}}, PartialFailure({}, {5}, set(), 4.0)),
        (429, {"throttled_users": ["user-6", "own"]}, PartialFailure({}, {6, 9}, set(), 4.0)),
        (
            429,
            {"exceeded_daily_quota_users": {"user-7": 1}, "exceeded_daily_quota_devices": ["own"]},
            PartialFailure({}, set(), {7, 9}, 4.0),
        ),
        (
            400,
            {
                "error": "Bad",
                "events_with_missing_fields": {"event_type": [0]},
                "events_with_invalid_fields": {"time": [0], "ip": [0, 1]},
                "silenced_events": [0, 2, 10, -1],
                "throttled_events": [2, 3],
                "throttled_users": ["user-1", "user-4"],
                "exceeded_daily_quota_devices": ["device-0", "device-8"],
            },
            PartialFailure(
                {0: "missing event_type, invalid time, invalid ip", 1: "invalid ip", 2: SILENCED},
                {3, 4},
                {8},
                4.0,
                "Bad",
            ),
        ),
    ],
)
def test_the_decision_as_a_whole(status: int, body: Any, decision: Decision) -> None:
    assert decided(status, body, 4.0) == decision


def test_no_answer_is_retried() -> None:
    assert decide(NoAnswer("the connection was cut"), EVENTS) == Retry("the connection was cut")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
named = st.dictionaries(st.text(max_size=5), st.lists(st.integers(-2, 12)) | anything) | anything
bodies = st.dictionaries(
    st.sampled_from(
        [
            *("code", "error", "missing_field", "events_ingested"),
            *("events_with_missing_fields", "events_with_invalid_fields", "silenced_events"),
            *("events_with_invalid_id_lengths", "silenced_devices", "throttled_events"),
            *("throttled_users", "throttled_devices", "exceeded_daily_quota_users"),
        ]
    ),
    st.sampled_from([200, 400, 429]) | named,
)


@given(
    st.integers(100, 999),
    st.binary(max_size=60) | (bodies | anything).map(lambda body: json.dumps(body).encode()),
    st.integers(1, 10),
)
def test_any_answer_has_a_decision(status: int, body: bytes, count: int) -> None:
    decision = decide(Answer(status, body), EVENTS[:count])
    assert isinstance(decision, (Delivered, PartialFailure, Bisect, Retry, Stop))
    assert isinstance(decision, Delivered) <= (status == 200)
    if isinstance(decision, PartialFailure):
        named = {*decision.refused, *decision.throttled, *decision.exhausted}
        assert named <= set(range(count))
        assert max(map(len, decision.refused.values()), default=0) <= 300


def test_thousands_of_names_for_one_event_are_short_and_take_no_time() -> None:
    names = {f"field-{number}": [0] * 10 for number in range(20_000)}
    started = time.process_time()
    decision = decided(400, {"events_with_invalid_fields": names})
    assert time.process_time() - started < 1
    assert isinstance(decision, PartialFailure)
    assert len(decision.refused[0]) == 300
