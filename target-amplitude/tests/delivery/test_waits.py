"""Which waits of the reader are too long."""

from __future__ import annotations

import pytest

from target_amplitude.delivery.backpressure import MAX_WAIT_SECONDS, SPAN_SECONDS, Backpressure


@pytest.mark.parametrize(("wait", "is_high"), [(0.004, False), (0.03, True)])
def test_many_short_waits_count_like_a_long_one(wait: float, *, is_high: bool) -> None:
    backpressure = Backpressure()
    results = [backpressure.is_high(turn / 10, turn / 10 + wait) for turn in range(50)]
    assert any(results) is is_high


def test_waits_of_long_ago_are_forgotten() -> None:
    backpressure = Backpressure()
    almost = MAX_WAIT_SECONDS * 0.9
    assert not backpressure.is_high(5.0, 5.0 + almost)
    assert not backpressure.is_high(6.1 + SPAN_SECONDS, 6.1 + SPAN_SECONDS + almost)
    assert backpressure.is_high(8.0, 8.0 + MAX_WAIT_SECONDS)
