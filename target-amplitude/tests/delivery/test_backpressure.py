from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loading.messages import numbers, run_of
from target_amplitude.delivery.backpressure import Backpressure

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


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
