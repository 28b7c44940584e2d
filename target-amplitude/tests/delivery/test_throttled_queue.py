"""When events that were put back for throttled users travel."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from loading.queues import event, names, put, split_queue, user
from target_amplitude.delivery.throttling import FOREVER

if TYPE_CHECKING:
    from target_amplitude.delivery.queue import PartitionedQueue


class TestThrottled:
    """A user was throttled, so some events were put back."""

    @staticmethod
    def queue(rows: int = 9, room: int = 1000, *, partitions: int = 1) -> PartitionedQueue:
        return split_queue(partitions, rows, room)

    def test_their_time_comes(self) -> None:
        queue = self.queue()
        queue.throttling.hold([event("1"), event("2")], 5.0)
        assert queue.take(4.9) is None
        assert queue.has_more()
        batch = queue.take(5.0)
        assert batch is not None
        assert names(batch) == ["1"]
        assert (batch.retried_users, batch.partitions) == (["ada"], [0])
        assert queue.throttling.users["ada"].retry_at == FOREVER
        assert queue.take(9.0) is None
        queue.complete(batch, 9.0)
        assert names(queue.take(9.0)) == ["2"]

    def test_they_come_before_full_batches(self) -> None:
        queue = self.queue(rows=1)
        queue.throttling.hold([event("1")], 5.0)
        put(queue, "bob", 2)
        assert names(queue.take(5.0)) == ["1"]

    def test_nothing_of_their_partition_overtakes_them(self) -> None:
        queue = self.queue(rows=1)
        queue.throttling.hold([event("1")], 0.0)
        put(queue, "bob", 2)
        batch = queue.take(0.0)
        assert names(batch) == ["1"]
        assert queue.take(0.0) is None
        assert not queue.is_idle()
        assert batch is not None
        queue.complete(batch, 0.0)
        assert names(queue.take(0.0)) == ["2"]

    def test_they_wait_while_their_partition_has_a_batch_in_flight(self) -> None:
        queue = self.queue(rows=1, partitions=2)
        put(queue, user(0, 2), 1)
        assert names(queue.take(0.0)) == ["1"]
        queue.throttling.hold([event("2", user(0, 2)), event("3", user(1, 2))], 0.0)
        assert names(queue.take(0.0)) == ["3"]
        assert queue.take(0.0) is None

    def test_several_users_travel_together(self) -> None:
        queue = self.queue(partitions=2)
        zero, one = user(0, 2), user(1, 2)
        other = next(
            name for name in (f"v-{n}" for n in count()) if hash(name) % 2 == 0 and name != zero
        )
        queue.throttling.hold([event("1", zero), event("2", one), event("3", other)], 0.0)
        batch = queue.take(0.0)
        assert batch is not None
        assert names(batch) == ["1", "2", "3"]
        assert batch.partitions == [0, 1]
        assert batch.retried_users == [zero, one, other]

    @pytest.mark.parametrize(
        ("rows", "room", "taken"),
        [
            (9, 1000, ["1", "2", "3"]),
            (3, 1000, ["1", "2", "3"]),
            (2, 1000, ["1", "2"]),
            (9, 6, ["1", "2", "3"]),
            (9, 5, ["1", "2"]),
            (9, 1, ["1"]),
        ],
    )
    def test_as_far_as_a_request_has_room(self, rows: int, room: int, taken: list[str]) -> None:
        queue = self.queue(rows, room)
        queue.throttling.hold([event(str(number)) for number in range(1, 7)], 0.0)
        batch = queue.take(0.0)
        assert names(batch) == taken
        assert len(queue.throttling.users["ada"].events) == 6 - len(taken)

    def test_whoever_finds_no_room_is_not_taken_for_sent(self) -> None:
        queue = self.queue(rows=1)
        queue.throttling.hold([event("1"), event("2", "bob")], 0.0)
        batch = queue.take(0.0)
        assert batch is not None
        assert batch.retried_users == ["ada"]
        assert queue.throttling.users["bob"].retry_at == 0.0
        queue.complete(batch, 1.0)
        assert list(queue.throttling.users) == ["bob"]
        assert names(queue.take(1.0)) == ["2"]
