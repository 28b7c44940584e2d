"""The table from status and body to decision, row by row, and its answer to nonsense."""

from __future__ import annotations

import json
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


def test_no_answer_is_retried_unless_it_never_will_come() -> None:
    assert isinstance(decide(NoAnswer("no connection"), 10), Retry)
    assert isinstance(decide(NoAnswer("no trust", is_final=True), 10), Stop)


@given(st.integers(100, 599), st.binary(max_size=60), st.integers(1, 50))
def test_any_answer_has_a_decision(status: int, body: bytes, count: int) -> None:
    decision = decide(Answer(status, body), count)
    assert isinstance(decision, (Delivered, PartialFailure, Bisect, Retry, Stop))
    assert isinstance(decision, Delivered) <= (status == 200)
