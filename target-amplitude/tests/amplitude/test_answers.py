"""The table from status and body to decision, row by row, and its answer to nonsense."""

from __future__ import annotations

import json
import time
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


def decided(status: int, body: Any = b"", retry_after: float | None = None) -> Decision:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decide(Answer(status, raw, retry_after), 10)


def test_200_is_delivered() -> None:
    assert decided(200, {"code": 200, "events_ingested": 9}) == Delivered(9)
    assert decided(200, {"code": 200}) == Delivered(None)


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b"success", b"[]", b"{}", b'{"code":"200"}']
)
def test_200_without_confirmation_is_retried(body: bytes) -> None:
    assert isinstance(decided(200, body), Retry)


@pytest.mark.parametrize(
    ("code", "kind"), [(400, Bisect), (413, Bisect), (429, Retry), (500, Retry)]
)
def test_the_bodys_code_counts_where_the_line_says_200(code: int, kind: type) -> None:
    assert isinstance(decided(200, {"code": code}), kind)


def test_a_wrong_key_stops() -> None:
    decision = decided(400, {"code": 400, "error": "Invalid API key: 1234"})
    assert decision == Stop("Invalid API key", key_refused=True)


def test_a_missing_request_field_stops() -> None:
    body = {"error": "Request missing required field", "missing_field": "events"}
    assert decided(400, body) == Stop("the request misses events", missing="events")


def test_named_events_are_refused_whatever_the_message() -> None:
    body = {
        "error": "Request missing required field",
        "missing_field": None,
        "events_with_missing_fields": {"event_type": [3, 4]},
        "events_with_invalid_fields": {"time": [4]},
        "events_with_invalid_id_lengths": {"user_id": [0]},
        "silenced_events": [5],
        "silenced_devices": ["d"],
        "throttled_events": [6],
    }
    decision = decided(400, body)
    assert isinstance(decision, PartialFailure)
    assert decision.refused == {
        3: "missing event_type",
        4: "missing event_type, invalid time",
        0: "invalid length of user_id",
        5: "device is silenced",
    }
    assert decision.refused_devices == {"d"}
    assert decision.throttled == {6}


@pytest.mark.parametrize(
    "body",
    [
        {"code": 400, "error": "Invalid event JSON"},
        {"events_with_invalid_fields": {"time": [10, -1, "1", None, 2.0, True]}},
        {"events_with_invalid_fields": [1, 2]},
        b"",
        b"<html>",
    ],
)
def test_an_unexplained_400_is_bisected(body: Any) -> None:
    assert isinstance(decided(400, body), Bisect)


def test_403_and_413_are_bisected() -> None:
    assert decided(403, {"error": "Forbidden"}) == Bisect(
        "refused by Amplitude's filter", "Forbidden"
    )
    assert decided(413, b"<html>") == Bisect("too large", "413 Payload too large")


def test_429_names_who_waits_and_who_is_done_for_the_day() -> None:
    body = {
        "throttled_users": {"u": 31},
        "throttled_devices": {"d": 31},
        "throttled_events": [1, 2],
        "exceeded_daily_quota_users": {"q": 500200},
        "exceeded_daily_quota_devices": {"e": 500200},
    }
    decision = decided(429, body, 7.0)
    assert isinstance(decision, PartialFailure)
    assert decision.throttled == {1, 2}
    assert decision.throttled_ids == {"u", "d"}
    assert decision.exhausted_ids == {"q", "e"}
    assert decision.retry_after == 7.0


def test_429_without_names_is_retried_later() -> None:
    assert decided(429, b"<html>", 3.0) == Retry(
        "status 429 Too Many Requests", 3.0, throttled=True
    )


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520, 599, 202, 204])
def test_passing_trouble_is_retried(status: int) -> None:
    assert isinstance(decided(status, b"<html>"), Retry)


@pytest.mark.parametrize("status", [301, 302, 401, 404, 405, 410, 451])
def test_what_will_not_change_stops(status: int) -> None:
    assert isinstance(decided(status, b"<html>"), Stop)


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
        (400, {"error": "x" * 301}, Bisect("refused by Amplitude", "x" * 300)),
        (400, {"error": "INVALID API KEY"}, Stop("Invalid API key", key_refused=True)),
        (
            400,
            {"error": "No invalid api key"},
            Bisect("refused by Amplitude", "No invalid api key"),
        ),
        (
            400,
            {"missing_field": "f" * 61},
            Stop(f"the request misses {'f' * 60}", missing="f" * 60),
        ),
        (400, {"missing_field": 5}, Bisect("refused by Amplitude", "400 without a reason")),
        (429, {"throttled_users": {}}, Retry(TOO_MANY, 4.0, throttled=True)),
        (429, {"throttled_events": [10]}, Retry(TOO_MANY, 4.0, throttled=True)),
    ],
)
def test_the_decision_as_a_whole(status: int, body: Any, decision: Decision) -> None:
    assert decided(status, body, 4.0) == decision


def test_what_names_events_says_all_it_can() -> None:
    body = {
        "error": "Bad",
        "silenced_devices": {"d": 1},
        "silenced_events": [9, 10, -1],
        "throttled_events": [0],
        "throttled_devices": ["t"],
        "throttled_users": ["u"],
        "exceeded_daily_quota_users": ["q"],
        "exceeded_daily_quota_devices": ["e", 5],
    }
    assert decided(400, body) == PartialFailure(
        Bisect("refused by Amplitude", "Bad"),
        refused={9: "device is silenced"},
        refused_devices=frozenset({"d"}),
        throttled=frozenset({0}),
        throttled_ids=frozenset({"t", "u"}),
        exhausted_ids=frozenset({"q", "e"}),
        message="Bad",
    )
    del body["silenced_devices"], body["silenced_events"]
    assert decided(429, body, 2.0) == PartialFailure(
        Retry(TOO_MANY, 2.0, throttled=True),
        throttled=frozenset({0}),
        throttled_ids=frozenset({"t", "u"}),
        exhausted_ids=frozenset({"q", "e"}),
        retry_after=2.0,
        message="Bad",
    )


@pytest.mark.parametrize("name", ["throttled_events", "throttled_users", "throttled_devices"])
def test_any_one_of_the_names_is_enough(name: str) -> None:
    assert isinstance(
        decided(429, {name: [0] if name.endswith("events") else ["x"]}), PartialFailure
    )
    quota = decided(429, {"exceeded_daily_quota_users": ["x"]})
    assert isinstance(quota, PartialFailure)


def test_an_event_may_be_wrong_in_several_ways_and_silenced_besides() -> None:
    body = {
        "events_with_missing_fields": {"event_type": [0]},
        "events_with_invalid_fields": {"time": [0], "ip": [0, 1]},
        "silenced_events": [0, 2],
    }
    decision = decided(400, body)
    assert isinstance(decision, PartialFailure)
    assert decision.refused == {
        0: "missing event_type, invalid time, invalid ip",
        1: "invalid ip",
        2: "device is silenced",
    }


def test_no_answer_is_retried() -> None:
    assert decide(NoAnswer("the connection was cut"), 10) == Retry("the connection was cut")


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
    decision = decide(Answer(status, body), count)
    assert isinstance(decision, (Delivered, PartialFailure, Bisect, Retry, Stop))
    assert isinstance(decision, Delivered) <= (status == 200)
    if isinstance(decision, PartialFailure):
        assert {*decision.refused, *decision.throttled} <= set(range(count))
        assert max(map(len, decision.refused.values()), default=0) <= 300


def test_thousands_of_names_for_one_event_are_short_and_take_no_time() -> None:
    names = {f"field-{number}": [0] * 10 for number in range(20_000)}
    started = time.process_time()
    decision = decided(400, {"events_with_invalid_fields": names})
    assert time.process_time() - started < 1
    assert isinstance(decision, PartialFailure)
    assert len(decision.refused[0]) == 300
