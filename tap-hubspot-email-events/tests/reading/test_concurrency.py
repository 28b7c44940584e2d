"""How many pages are read at once."""

from __future__ import annotations

import pytest

from tap_hubspot_email_events.reading.concurrency import HELD_UP_SECONDS, RECENT_PAGES, Concurrency


def after(pages: int, *, seconds: float, cpu_seconds: float) -> Concurrency:
    concurrency = Concurrency(8)
    for _ in range(pages):
        concurrency.begin(0.0)
        concurrency.end(0.0, seconds, cpu_seconds)
    return concurrency


def room(concurrency: Concurrency, now: float = 0.0) -> int:
    """How many more pages may be begun."""
    count = 0
    while concurrency.has_room(now) and count < 100:
        concurrency.begin(now)
        count += 1
    return count


def test_all_threads_are_let_go_until_something_is_known() -> None:
    assert room(Concurrency(8)) == 8
    assert room(after(RECENT_PAGES - 1, seconds=0.004, cpu_seconds=0.004)) == 8


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.003, 2), (0.004, 2), (0.011, 3), (0.023, 6), (0.3, 8)]
)
def test_the_longer_answers_take_the_more_are_read_at_once(seconds: float, expected: int) -> None:
    assert room(after(RECENT_PAGES, seconds=seconds, cpu_seconds=0.004)) == expected


def test_waiting_for_one_another_is_not_taken_for_waiting_for_answers() -> None:
    concurrency = after(RECENT_PAGES, seconds=0.03, cpu_seconds=0.004)
    concurrency.begin(1.0)
    concurrency.end(1.0, 1.004, 0.004)
    assert room(concurrency, 2.0) == 2


def test_answers_that_become_slow_are_noticed() -> None:
    concurrency = after(100, seconds=0.004, cpu_seconds=0.004)
    for _ in range(RECENT_PAGES):
        concurrency.begin(1.0)
        concurrency.end(1.0, 1.3, 0.004)
    assert room(concurrency, 2.0) == 8


def test_pages_that_sit_out_a_failure_let_others_go() -> None:
    concurrency = after(RECENT_PAGES, seconds=0.004, cpu_seconds=0.004)
    assert room(concurrency, 1.0) == 2
    assert room(concurrency, 1.1) == 0
    later = 1.01 + HELD_UP_SECONDS
    assert room(concurrency, later) == 2
    for _ in range(2):
        concurrency.end(1.0, later, 0.004)
    assert room(concurrency, later) == 0


def test_a_clock_too_coarse_to_see_work_holds_nobody_back() -> None:
    assert room(after(RECENT_PAGES, seconds=0.0, cpu_seconds=0.0)) == 8
