"""How many pages are read at once."""

from __future__ import annotations

import pytest

from tap_hubspot_email_events.concurrency import MEMORY, Concurrency


def after(pages: int, *, seconds: float, cpu_seconds: float) -> Concurrency:
    concurrency = Concurrency(8)
    for _ in range(pages):
        concurrency.note(seconds, cpu_seconds)
    return concurrency


def test_all_threads_are_let_go_until_something_is_known() -> None:
    assert Concurrency(8).worthwhile == 8
    assert after(MEMORY - 1, seconds=0.004, cpu_seconds=0.004).worthwhile == 8


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.003, 2), (0.004, 2), (0.011, 3), (0.023, 6), (0.3, 8)]
)
def test_the_longer_answers_take_the_more_are_read_at_once(seconds: float, expected: int) -> None:
    assert after(MEMORY, seconds=seconds, cpu_seconds=0.004).worthwhile == expected


def test_waiting_for_one_another_is_not_taken_for_waiting_for_answers() -> None:
    concurrency = after(MEMORY, seconds=0.03, cpu_seconds=0.004)
    concurrency.note(0.004, 0.004)
    assert concurrency.worthwhile == 2


def test_answers_that_become_slow_are_noticed() -> None:
    concurrency = after(100, seconds=0.004, cpu_seconds=0.004)
    for _ in range(MEMORY):
        concurrency.note(0.3, 0.004)
    assert concurrency.worthwhile == 8


def test_a_clock_too_coarse_to_see_work_holds_nobody_back() -> None:
    assert after(MEMORY, seconds=0.0, cpu_seconds=0.0).worthwhile == 8
