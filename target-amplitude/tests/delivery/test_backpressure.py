from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loading.messages import numbers, run_of
from target_amplitude.delivery.backpressure import MAX_WAIT_SECONDS, SPAN_SECONDS, Backpressure

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


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


@pytest.mark.parametrize("partitions", [1, 3])
def test_slow_answers_let_several_requests_travel_at_once(
    sandbox: Sandbox, loader: Loader, partitions: int
) -> None:
    sandbox.set_latency(amplitude=0.1)
    states = loader.load(run_of(900), batch_size_rows=50, max_concurrent_requests=partitions)
    assert numbers(states)[-1] == 900
    assert sandbox.amplitude_stats()["most_in_flight"] == partitions


def test_unless_the_reader_waits_for_long_one_request_travels_at_a_time(
    sandbox: Sandbox, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backpressure, "is_high", lambda *_: False)
    sandbox.set_latency(amplitude=0.02)
    loader.load(run_of(900), batch_size_rows=50)
    assert sandbox.amplitude_stats()["most_in_flight"] == 1
    assert sandbox.amplitude_stats()["requests"] == 18
