"""The limiter allows what HubSpot allows, and hardly less."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tap_hubspot_email_events.errors import StoppedError
from tap_hubspot_email_events.hubspot.limiter import Limiter


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def send(limiter: Limiter, clock: Clock, seconds: float, answer: float = 0.0) -> list[float]:
    """Send as fast as allowed for some time; the moments of sending."""
    sent = []
    end = clock.now + seconds
    while clock.now < end:
        delay = limiter.delay()
        if delay:
            clock.now += delay
        else:
            sent.append(clock.now)
            clock.now += answer
    return sent


def headers(limit: int, remaining: int, **more: Any) -> CaseInsensitiveDict[str]:
    names = {"Max": limit, "Remaining": remaining, "Interval-Milliseconds": 10_000, **more}
    return CaseInsensitiveDict({f"X-HubSpot-RateLimit-{k}": str(v) for k, v in names.items()})


@given(st.integers(1, 250), st.floats(0.0, 0.2))
def test_no_ten_seconds_hold_more_than_the_limit(limit: int, answer: float) -> None:
    clock = Clock()
    sent = send(Limiter(limit, clock), clock, 30, answer or 0.001)
    assert all(later - earlier > 10 for earlier, later in zip(sent, sent[limit:], strict=False))


def test_nearly_all_of_the_limit_is_used_for_minutes() -> None:
    clock = Clock()
    assert len(send(Limiter(190, clock), clock, 300, 0.04)) >= 0.98 * 190 * 30


@pytest.mark.parametrize(
    ("setting", "limit", "remaining", "least", "most"),
    [
        pytest.param(190, 100, 99, 99, 99, id="a lower limit counts"),
        pytest.param(50, 190, 189, 49, 49, id="a higher one does not undo the setting"),
        pytest.param(100, 100, 39, 39, 39, id="another app leaves us the rest"),
        pytest.param(50, 100, 49, 49, 49, id="one that keeps to its share leaves us ours"),
        pytest.param(100, 100, 0, 1, 5, id="a greedy one leaves us a little"),
    ],
)
def test_what_hubspot_reports_is_kept_to(
    setting: int, limit: int, remaining: int, least: int, most: int
) -> None:
    clock = Clock()
    limiter = Limiter(setting, clock)
    limiter.delay()
    limiter.learn(headers(limit, remaining))
    assert least <= len(send(limiter, clock, 9)) <= most


def test_what_another_app_used_is_ours_again_once_it_is_gone() -> None:
    clock = Clock()
    limiter = Limiter(100, clock)
    limiter.delay()
    limiter.learn(headers(100, 39))
    send(limiter, clock, 9)
    clock.now += 11
    assert len(send(limiter, clock, 9)) == 100


def test_everybody_waits_after_a_429_for_as_long_as_hubspot_says() -> None:
    clock = Clock()
    limiter = Limiter(100, clock)
    limiter.throttled("TEN_SECONDLY_ROLLING", 7.0)
    assert limiter.delay() == pytest.approx(7.0)
    clock.now += 7.01
    assert limiter.delay() == 0


def test_without_a_word_from_hubspot_the_pauses_grow_and_end_with_success() -> None:
    clock = Clock()
    limiter = Limiter(100, clock)
    pauses = []
    for _ in range(6):
        limiter.throttled("TEN_SECONDLY_ROLLING", None)
        pauses.append(limiter.delay())
        clock.now += pauses[-1] + 0.01
    assert pauses == pytest.approx([1, 2, 4, 8, 10, 10])
    limiter.learn(CaseInsensitiveDict())
    limiter.throttled("SECONDLY", None)
    assert limiter.delay() == pytest.approx(0.25)


def test_waiting_ends_with_the_run() -> None:
    stop = threading.Event()
    stop.set()
    limiter = Limiter(1, Clock())
    limiter.acquire(stop)
    with pytest.raises(StoppedError):
        limiter.acquire(stop)
