"""Events for a queue, and which of them it gives."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from target_amplitude.delivery.queue import PartitionedQueue
from target_amplitude.delivery.queued_event import QueuedEvent
from target_amplitude.history.counts import StreamCounts

if TYPE_CHECKING:
    from target_amplitude.delivery.queued_event import Batch

COUNTS = StreamCounts("email_open", 0.0)


def user(partition: int, partitions: int) -> str:
    """A user whose events go into this partition."""
    return next(
        name for name in (f"user-{n}" for n in count()) if hash(name) % partitions == partition
    )


def event(name: str, owner: str = "ada", *, memory: int = 1) -> QueuedEvent:
    return QueuedEvent(name.encode(), b"", memory, COUNTS, 0, owner)


def names(batch: Batch | None) -> list[str]:
    return [] if batch is None else [each.body.decode() for each in batch.events]


def split_queue(partitions: int, rows: int, room: int = 1000) -> PartitionedQueue:
    queue = PartitionedQueue(partitions, rows, room)
    queue.split()
    return queue


def put(queue: PartitionedQueue, owner: str, *numbers: int) -> int:
    return queue.put([event(str(number), owner) for number in numbers])
