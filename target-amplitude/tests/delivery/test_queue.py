"""How users share partitions, and when one partition becomes several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.delivery.queue import PartitionedQueue
from target_amplitude.delivery.queued_event import Batch, QueuedEvent
from target_amplitude.history.counts import StreamCounts

if TYPE_CHECKING:
    import random


COUNTS = StreamCounts("email_open", 0.0)


def event(number: int, users: int = 5) -> QueuedEvent:
    return QueuedEvent(b"%d" % number, b"", 1, COUNTS, 0, f"user-{number % users}")


class Traffic:
    """Batches in flight, and what has been seen of the order that users' events went in."""

    def __init__(self, queue: PartitionedQueue, chance: random.Random) -> None:
        self.queue = queue
        self.chance = chance
        self.in_flight: list[Batch] = []
        self.seen: list[int] = []
        self.put = 0

    def add(self) -> None:
        until = self.put + self.chance.randrange(1, 12)
        self.queue.put([event(number) for number in range(self.put, until)])
        self.put = until

    def begin(self) -> bool:
        batch = self.queue.take(0.0)
        if batch is None:
            return False
        users = {each.user for each in batch.events}
        assert not any(users & {each.user for each in other.events} for other in self.in_flight)
        self.in_flight.append(batch)
        self.seen += [int(each.body) for each in batch.events]
        return True

    def end(self) -> None:
        if self.in_flight:
            batch = self.in_flight.pop(self.chance.randrange(len(self.in_flight)))
            self.queue.remove(batch.events)
            self.queue.complete(batch, 0.0)


@given(
    count=st.integers(1, 6),
    rows=st.integers(1, 9),
    room=st.integers(4, 40),
    chance=st.randoms(use_true_random=False),
)
def test_every_event_travels_once_and_a_users_one_after_another(
    count: int, rows: int, room: int, chance: random.Random
) -> None:
    queue = PartitionedQueue(count, rows, room)
    traffic = Traffic(queue, chance)
    steps = [traffic.add, traffic.begin, traffic.end, queue.flush, queue.split]
    for step in chance.choices(steps, weights=[40, 30, 25, 3, 1], k=80):
        step()
        for batch in traffic.in_flight:
            assert len(batch.events) <= rows
            assert sum(len(each.body) + 1 for each in batch.events) <= room
    while queue.pending:
        queue.flush()
        while traffic.begin():
            pass
        traffic.end()
    assert sorted(traffic.seen) == list(range(traffic.put))
    assert queue.memory == 0
    for user in range(5):
        own = [number for number in traffic.seen if number % 5 == user]
        assert own == sorted(own)


def test_what_is_in_flight_as_the_queue_is_split_comes_before_everything_else() -> None:
    queue = PartitionedQueue(3, 10, 1000)
    queue.put([event(number) for number in range(100)])
    first = queue.take(0.0)
    assert first is not None
    assert queue.take(0.0) is None
    queue.split()
    assert queue.take(0.0) is None
    queue.complete(first, 0.0)
    assert [queue.take(0.0) is not None for _ in range(2)] == [True, True]
