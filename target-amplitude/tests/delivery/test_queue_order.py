"""Which events travel next."""

from __future__ import annotations

import pytest

from loading.queues import event, names, put, split_queue, user
from target_amplitude.delivery.queue import PartitionedQueue


def test_a_batch_is_full_at_so_many_events() -> None:
    queue = PartitionedQueue(1, 2, 1000)
    assert put(queue, "ada", 1) == 0
    assert put(queue, "ada", 2) == 1
    assert put(queue, "ada", 3, 4, 5) == 1
    assert queue.full_batches == 2
    assert names(queue.take(0.0)) == ["1", "2"]
    assert queue.full_batches == 1


def test_a_batch_is_full_at_so_many_bytes_commas_included() -> None:
    queue = PartitionedQueue(1, 9, 6)
    assert put(queue, "ada", 11, 22) == 0
    assert put(queue, "ada", 33) == 1
    assert names(queue.take(0.0)) == ["11", "22"]


def test_each_batch_has_all_the_room_there_is() -> None:
    queue = PartitionedQueue(1, 9, 6)
    assert put(queue, "ada", 11, 22, 33, 44) == 1
    queue.flush()
    first = queue.take(0.0)
    assert first is not None
    queue.complete(first, 0.0)
    queue.flush()
    second = queue.take(0.0)
    assert second is not None
    assert (names(first), names(second)) == (["11", "22"], ["33", "44"])
    queue.complete(second, 0.0)
    put(queue, "ada", 55, 66)
    queue.flush()
    assert names(queue.take(0.0)) == ["55", "66"]


def test_an_event_larger_than_a_batch_travels_alone() -> None:
    queue = PartitionedQueue(1, 9, 4)
    assert queue.put([event("too long"), event("a"), event("too long")]) == 2
    batches = []
    queue.flush()
    while (batch := queue.take(0.0)) is not None:
        batches.append(names(batch))
        queue.complete(batch, 0.0)
        queue.flush()
    assert batches == [["too long"], ["a"], ["too long"]]


def test_pending_and_memory_are_those_of_what_is_not_settled() -> None:
    queue = PartitionedQueue(1, 9, 1000)
    events = [event("1", memory=30), event("2", memory=12)]
    queue.put(events)
    assert (queue.pending, queue.memory) == (2, 42)
    queue.put([event("3", memory=5)])
    assert (queue.pending, queue.memory) == (3, 47)
    queue.remove(events[1:])
    assert (queue.pending, queue.memory) == (2, 35)


def test_a_partial_batch_waits_until_it_is_flushed() -> None:
    queue = PartitionedQueue(1, 3, 1000)
    put(queue, "ada", 1, 2)
    assert queue.take(0.0) is None
    assert not queue.has_more()
    queue.flush()
    assert queue.has_more()
    assert names(queue.take(0.0)) == ["1", "2"]
    assert not queue.has_more()


def test_full_batches_come_before_a_flushed_partial_one_of_the_same_partition() -> None:
    queue = PartitionedQueue(1, 2, 1000)
    put(queue, "ada", 1, 2, 3)
    queue.flush()
    first = queue.take(0.0)
    assert names(first) == ["1", "2"]
    assert queue.take(0.0) is None
    assert first is not None
    queue.complete(first, 0.0)
    assert names(queue.take(0.0)) == ["3"]


def test_while_any_full_batch_may_go_no_partial_one_is_taken() -> None:
    queue = split_queue(2, 2)
    put(queue, user(0, 2), 1)
    put(queue, user(1, 2), 2, 3, 4)
    queue.flush()
    assert names(queue.take(0.0)) == ["2", "3"]
    assert names(queue.take(0.0)) == ["1"]
    assert queue.take(0.0) is None


def test_a_partial_batch_does_not_overtake_full_ones_that_wait() -> None:
    queue = split_queue(2, 2)
    put(queue, user(1, 2), 2, 3, 4, 5, 6)
    queue.flush()
    first = queue.take(0.0)
    assert first is not None
    put(queue, user(0, 2), 1)
    queue.flush()
    assert names(queue.take(0.0)) == ["1"]
    queue.complete(first, 0.0)
    assert names(queue.take(0.0)) == ["4", "5"]


def test_the_partition_with_the_most_full_batches_comes_first() -> None:
    queue = split_queue(3, 1)
    put(queue, user(0, 3), 1)
    put(queue, user(1, 3), 2, 3, 4)
    put(queue, user(2, 3), 5, 6)
    assert [names(queue.take(0.0)) for _ in range(4)] == [["2"], ["5"], ["1"], []]
    assert queue.full_batches == 3


def test_a_partition_has_one_batch_in_flight() -> None:
    queue = split_queue(2, 1)
    put(queue, user(0, 2), 1, 2)
    put(queue, user(1, 2), 3)
    first, second = queue.take(0.0), queue.take(0.0)
    assert (names(first), names(second)) == (["1"], ["3"])
    assert queue.take(0.0) is None
    assert not queue.has_more()
    assert not queue.is_idle()
    assert first is not None
    assert second is not None
    queue.complete(second, 0.0)
    assert not queue.has_more()
    assert not queue.is_idle()
    queue.complete(first, 0.0)
    assert queue.has_more()
    assert queue.is_idle()
    assert names(queue.take(0.0)) == ["2"]


def test_flushed_partial_batches_travel_together() -> None:
    queue = split_queue(2, 3)
    put(queue, user(0, 2), 1)
    put(queue, user(1, 2), 2, 3)
    queue.flush()
    batch = queue.take(0.0)
    assert batch is not None
    assert names(batch) == ["1", "2", "3"]
    assert batch.partitions == [0, 1]
    queue.complete(batch, 0.0)
    assert queue.is_idle()


@pytest.mark.parametrize(
    ("rows", "room", "together"),
    [(4, 8, True), (3, 8, False), (4, 7, False), (9, 9, True)],
)
def test_they_travel_together_as_far_as_a_request_has_room(
    rows: int, room: int, *, together: bool
) -> None:
    queue = split_queue(2, rows, room)
    put(queue, user(0, 2), 1, 2)
    put(queue, user(1, 2), 3, 4)
    queue.flush()
    first = ["1", "2", "3", "4"] if together else ["1", "2"]
    assert names(queue.take(0.0)) == first
    assert names(queue.take(0.0)) == ([] if together else ["3", "4"])


def test_all_that_travels_together_counts() -> None:
    queue = split_queue(3, 9, 8)
    for partition in range(3):
        put(queue, user(partition, 3), partition, partition)
    queue.flush()
    assert names(queue.take(0.0)) == ["0", "0", "1", "1"]
    assert names(queue.take(0.0)) == ["2", "2"]


def test_one_that_does_not_fit_lets_a_smaller_one_travel() -> None:
    queue = split_queue(3, 4)
    put(queue, user(0, 3), 1, 2)
    put(queue, user(1, 3), 3, 4, 5)
    put(queue, user(2, 3), 6)
    queue.flush()
    batch = queue.take(0.0)
    assert batch is not None
    assert (names(batch), batch.partitions) == (["1", "2", "6"], [0, 2])
    assert names(queue.take(0.0)) == ["3", "4", "5"]


def test_what_is_added_after_a_flush_waits_for_the_next() -> None:
    queue = PartitionedQueue(1, 9, 1000)
    queue.flush()
    put(queue, "ada", 1)
    assert queue.take(0.0) is None
    queue.flush()
    batch = queue.take(0.0)
    assert batch is not None
    put(queue, "ada", 2)
    queue.complete(batch, 0.0)
    assert queue.take(0.0) is None


def test_a_flush_ends_once_the_batch_is_full() -> None:
    queue = PartitionedQueue(1, 2, 1000)
    put(queue, "ada", 1)
    queue.flush()
    put(queue, "ada", 2, 3)
    batch = queue.take(0.0)
    assert batch is not None
    queue.complete(batch, 0.0)
    assert queue.take(0.0) is None


def test_until_it_is_split_all_travels_in_the_order_of_reading() -> None:
    queue = PartitionedQueue(2, 4, 1000)
    assert (queue.partition_count, queue.is_split) == (1, False)
    queue.put([event(str(n), user(n % 2, 2)) for n in range(4)])
    assert names(queue.take(0.0)) == ["0", "1", "2", "3"]
    queue.split()
    assert (queue.partition_count, queue.is_split) == (2, True)
    assert PartitionedQueue(1, 4, 1000).is_split


def test_a_split_sorts_what_waits_by_user_in_order() -> None:
    queue = PartitionedQueue(2, 2, 1000)
    zero, one = user(0, 2), user(1, 2)
    queue.put([event(str(n), (zero, one)[n % 2]) for n in range(7)])
    queue.flush()
    queue.split()
    assert [names(queue.take(0.0)), names(queue.take(0.0))] == [["0", "2"], ["1", "3"]]
    assert queue.take(0.0) is None
    assert queue.pending == 7


@pytest.mark.parametrize("flushed", [True, False])
def test_a_split_leaves_what_was_flushed_flushed(*, flushed: bool) -> None:
    queue = PartitionedQueue(2, 9, 1000)
    put(queue, "ada", 1)
    if flushed:
        queue.flush()
    queue.split()
    queue.split()
    assert names(queue.take(0.0)) == (["1"] if flushed else [])


def test_a_split_waits_for_the_batch_in_flight_in_every_partition() -> None:
    queue = PartitionedQueue(3, 1, 1000)
    put(queue, user(2, 3), 1, 2)
    put(queue, user(1, 3), 3)
    first = queue.take(0.0)
    assert first is not None
    queue.split()
    assert queue.take(0.0) is None
    assert first.partitions == [0, 1, 2]
    queue.complete(first, 0.0)
    assert {*names(queue.take(0.0)), *names(queue.take(0.0))} == {"2", "3"}


def test_after_a_batch_has_ended_a_split_waits_for_nothing() -> None:
    queue = PartitionedQueue(2, 1, 1000)
    put(queue, "ada", 1, 2)
    first = queue.take(0.0)
    assert first is not None
    queue.complete(first, 0.0)
    queue.split()
    assert queue.is_idle()
    assert names(queue.take(0.0)) == ["2"]
    assert first.partitions == [0]
