"""How users share lanes, and when one lane becomes several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loading.messages import numbers, run_of
from target_amplitude.delivery.backpressure import SPAN_SECONDS, TOO_LONG_SECONDS, Congestion
from target_amplitude.delivery.queue import Batch, Item, Lanes
from target_amplitude.history.counts import StreamTally

if TYPE_CHECKING:
    import random

    from loading.loader import Loader
    from sandbox.client import Sandbox

TALLY = StreamTally("email_open", 0.0)


def item(number: int, users: int = 5) -> Item:
    return Item(b"%d" % number, b"", 1, TALLY, 0, f"user-{number % users}")


class Traffic:
    """Batches under way, and what has been seen of the order that users' events went in."""

    def __init__(self, lanes: Lanes, chance: random.Random) -> None:
        self.lanes = lanes
        self.chance = chance
        self.under_way: list[Batch] = []
        self.seen: list[int] = []
        self.put = 0

    def add(self) -> None:
        until = self.put + self.chance.randrange(1, 12)
        self.lanes.put([item(number) for number in range(self.put, until)])
        self.put = until

    def begin(self) -> bool:
        batch = self.lanes.take(0.0)
        if batch is None:
            return False
        users = {each.user for each in batch.items}
        assert not any(users & {each.user for each in other.items} for other in self.under_way)
        self.under_way.append(batch)
        self.seen += [int(each.body) for each in batch.items]
        return True

    def end(self) -> None:
        if self.under_way:
            batch = self.under_way.pop(self.chance.randrange(len(self.under_way)))
            self.lanes.drop(batch.items)
            self.lanes.give_back(batch, 0.0)


@given(
    count=st.integers(1, 6),
    rows=st.integers(1, 9),
    room=st.integers(4, 40),
    chance=st.randoms(use_true_random=False),
)
def test_every_event_travels_once_and_a_users_one_after_another(
    count: int, rows: int, room: int, chance: random.Random
) -> None:
    lanes = Lanes(count, rows, room)
    traffic = Traffic(lanes, chance)
    steps = [traffic.add, traffic.begin, traffic.end, lanes.make_due, lanes.spread]
    for step in chance.choices(steps, weights=[40, 30, 25, 3, 1], k=80):
        step()
        for batch in traffic.under_way:
            assert len(batch.items) <= rows
            assert sum(len(each.body) + 1 for each in batch.items) <= room
    while lanes.held:
        lanes.make_due()
        while traffic.begin():
            pass
        traffic.end()
    assert sorted(traffic.seen) == list(range(traffic.put))
    assert lanes.weight == 0
    for user in range(5):
        own = [number for number in traffic.seen if number % 5 == user]
        assert own == sorted(own)


def test_what_is_under_way_as_lanes_are_spread_comes_before_everything_else() -> None:
    lanes = Lanes(3, 10, 1000)
    lanes.put([item(number) for number in range(100)])
    first = lanes.take(0.0)
    assert first is not None
    assert lanes.take(0.0) is None
    lanes.spread()
    assert lanes.take(0.0) is None
    lanes.give_back(first, 0.0)
    assert [lanes.take(0.0) is not None for _ in range(2)] == [True, True]


@pytest.mark.parametrize(("wait", "is_felt"), [(0.004, False), (0.03, True)])
def test_many_short_waits_are_felt_like_a_long_one(wait: float, *, is_felt: bool) -> None:
    congestion = Congestion()
    felt = [congestion.is_felt(turn / 10, turn / 10 + wait) for turn in range(50)]
    assert any(felt) is is_felt


def test_waits_of_long_ago_are_forgotten() -> None:
    congestion = Congestion()
    almost = TOO_LONG_SECONDS * 0.9
    assert not congestion.is_felt(5.0, 5.0 + almost)
    assert not congestion.is_felt(6.1 + SPAN_SECONDS, 6.1 + SPAN_SECONDS + almost)
    assert congestion.is_felt(8.0, 8.0 + TOO_LONG_SECONDS)


@pytest.mark.parametrize("lanes", [1, 3])
def test_slow_answers_let_several_requests_travel_at_once(
    sandbox: Sandbox, loader: Loader, lanes: int
) -> None:
    sandbox.set_latency(amplitude=0.1)
    states = loader.load(run_of(900), batch_size_rows=50, max_concurrent_requests=lanes)
    assert numbers(states)[-1] == 900
    assert sandbox.amplitude_stats()["most_in_flight"] == lanes


def test_unless_the_reader_waits_for_long_one_request_travels_at_a_time(
    sandbox: Sandbox, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Congestion, "is_felt", lambda *_: False)
    sandbox.set_latency(amplitude=0.02)
    loader.load(run_of(900), batch_size_rows=50)
    assert sandbox.amplitude_stats()["most_in_flight"] == 1
    assert sandbox.amplitude_stats()["requests"] == 18
