"""How events become batches: each once, within the limits, and a user's one after another."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.delivery.block import QueuedEvent
from target_amplitude.delivery.queue import Batch, PartitionedQueue
from target_amplitude.history.counts import StreamCounts

if TYPE_CHECKING:
    import random


COUNTS = StreamCounts("email_open", 0.0)
# Of integers as users the partition is known.
EVEN, ODD = 0, 1


def event(name: str, user: object = EVEN, device: str = "") -> QueuedEvent:
    return QueuedEvent(name.encode(), b"", COUNTS, user, device)  # type: ignore[arg-type]


def names(batch: Batch | None) -> list[str]:
    return [] if batch is None else [each.body.decode() for each in batch.events]


def put(queue: PartitionedQueue, user: int, *numbers: int) -> None:
    queue.put([event(str(number), user) for number in numbers])


class Traffic:
    """Batches in flight, of which some users are throttled, and what was accepted, in order.

    The quota of the last user is used up as soon as some of its events are in flight.
    """

    def __init__(self, queue: PartitionedQueue, chance: random.Random) -> None:
        self.queue = queue
        self.chance = chance
        self.now = 0.0
        self.in_flight: list[Batch] = []
        self.accepted: list[int] = []
        self.put = 0

    def add(self) -> None:
        until = self.put + self.chance.randrange(1, 12)
        self.queue.put([event(str(n), f"user-{n % 5}") for n in range(self.put, until)])
        self.put = until

    def begin(self) -> bool:
        batch = self.queue.take(self.now)
        if batch is None:
            return False
        users = {each.user for each in batch.events}
        assert not any(users & {each.user for each in other.events} for other in self.in_flight)
        self.in_flight.append(batch)
        return True

    def end(self, share: float = 0.2) -> None:
        self.now += 1.0
        if self.in_flight:
            batch = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
            users = sorted({each.user for each in batch.events})
            throttled = {user for user in users if self.chance.random() < share}
            over_quota = [each for each in batch.events if each.user == "user-4"]
            if over_quota:
                throttled.discard("user-4")
                self.queue.defer({"user-4"}, over_quota)
            held = [each for each in batch.events if each.user in throttled]
            self.queue.hold(held, self.now + 2.0)
            others = [each for each in batch.events if each not in held + over_quota]
            self.accepted += [int(each.body) for each in others]
            self.queue.remove(others)
            self.queue.release(batch, self.now)


@given(
    count=st.integers(1, 6),
    rows=st.integers(1, 9),
    room=st.integers(4, 40),
    chance=st.randoms(use_true_random=False),
)
def test_every_event_is_accepted_once_and_a_users_one_after_another(
    count: int, rows: int, room: int, chance: random.Random
) -> None:
    queue = PartitionedQueue(count, rows, room)
    traffic = Traffic(queue, chance)
    steps = [traffic.add, traffic.begin, traffic.end, queue.flush]
    for step in chance.choices(steps, weights=[40, 30, 25, 3], k=80):
        step()
        assert queue.is_idle() == (not traffic.in_flight)
        for batch in traffic.in_flight:
            assert len(batch.events) <= rows
            assert sum(len(each.body) + 1 for each in batch.events) <= room
    while queue.pending:
        queue.flush()
        while traffic.begin():
            pass
        traffic.end(0.0)
    assert sorted(traffic.accepted) == [n for n in range(traffic.put) if n % 5 != 4]
    assert queue.memory == 0
    assert not queue.throttled
    for user in range(4):
        own = [number for number in traffic.accepted if number % 5 == user]
        assert own == sorted(own)


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 9), st.integers(1, 40))
def test_batches_are_as_full_as_may_be(sizes: list[int], rows: int, room: int) -> None:
    queue = PartitionedQueue(1, rows, room)
    queue.put([event("x" * size) for size in sizes])
    batches = []
    while queue.pending:
        queue.flush()
        batch = queue.take(0.0)
        assert batch is not None
        batches.append([len(each.body) + 1 for each in batch.events])
        queue.remove(batch.events)
        queue.release(batch, 0.0)
    assert [size for batch in batches for size in batch] == [size + 1 for size in sizes]
    for full, after in pairwise(batches):
        assert len(full) == rows or sum(full) + after[0] > room
    # One that is larger than a batch may be travels alone.
    assert all(sum(each) <= room or len(each) == 1 for each in batches)


def test_a_partial_batch_waits_until_it_is_flushed_and_full_ones_go_first() -> None:
    queue = PartitionedQueue(1, 2, 1000)
    put(queue, EVEN, 1, 2, 3)
    assert queue.has_full_batch
    first = queue.take(0.0)
    assert first is not None
    queue.release(first, 0.0)
    assert queue.take(0.0) is None
    queue.flush()
    second = queue.take(0.0)
    assert (names(first), names(second)) == (["1", "2"], ["3"])
    assert second is not None
    put(queue, EVEN, 4)
    queue.release(second, 0.0)
    # What is added after a flush waits for the next.
    assert queue.take(0.0) is None


@pytest.mark.parametrize(
    ("rows", "room", "first", "second"),
    [(4, 8, "1234", ""), (3, 8, "123", "4"), (4, 7, "123", "4"), (5, 9, "", "")],
)
def test_a_batch_is_filled_from_all_partitions_as_far_as_a_request_has_room(
    rows: int, room: int, first: str, second: str
) -> None:
    queue = PartitionedQueue(2, rows, room)
    put(queue, EVEN, 1, 2)
    put(queue, ODD, 3, 4)
    assert queue.has_full_batch == (rows < 5)
    batch = queue.take(0.0)
    assert "".join(names(batch)) == first
    # The rest of a user whose events are in flight waits for their answer.
    assert queue.take(0.0) is None
    if batch is not None:
        queue.release(batch, 0.0)
        queue.flush()
        assert "".join(names(queue.take(0.0))) == second


def test_a_throttled_users_events_are_halved_until_they_pass_and_doubled_then() -> None:
    queue = PartitionedQueue(1, 9, 1000)
    put(queue, EVEN, 1, 2, 3, 4, 5, 6)
    queue.flush()
    now, sent = 0.0, []
    for is_throttled in (True, True, False, False, True, False, False):
        batch = queue.take(now)
        assert batch is not None
        attempts = 0
        if is_throttled:
            attempts = queue.hold(batch.events, now + 5.0)
        queue.release(batch, now)
        sent.append(("".join(names(batch)), attempts))
        if is_throttled:
            assert queue.take(now + 4.9) is None
            now += 5.0
    assert sent == [("123456", 1), ("123", 2), ("1", 0), ("23", 0), ("456", 1), ("4", 0), ("56", 0)]
    assert not queue.throttled


def test_throttled_events_of_several_users_travel_together_before_full_batches() -> None:
    queue = PartitionedQueue(2, 3, 1000)
    assert queue.hold([event("1", EVEN), event("2", ODD), event("3", 2)], 5.0) == 1
    put(queue, EVEN, 4, 5, 6)
    batch = queue.take(5.0)
    assert batch is not None
    assert names(batch) == ["1", "2", "3"]
    assert queue.hold(batch.events[:1], 6.0) == 2


def test_nothing_is_sent_of_users_whose_quota_is_used_up_nor_of_their_devices() -> None:
    queue = PartitionedQueue(1, 9, 1000)
    events = [event("1", "ada"), event("2", "bob"), event("3", "eve", device="ada")]
    queue.put(events)
    queue.hold([event("0", "bob")], 5.0)
    queue.flush()
    queue.defer({"ada"}, [])
    # What is put behind a throttled user's events waits for that user's time.
    assert queue.take(0.0) is None
    batch = queue.take(5.0)
    assert names(batch) == ["0"]
    assert (queue.pending, names(Batch(list(queue.throttled["bob"].events)))) == (1, ["2"])
