from __future__ import annotations

from target_amplitude.taxonomy.registration import Pace


def test_cost_stays_within_the_hours() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(clock=lambda: now[0], sleep=sleep)
    for _ in range(4000):
        pace.spend(2)
    assert 3300 <= now[0] <= 3600
