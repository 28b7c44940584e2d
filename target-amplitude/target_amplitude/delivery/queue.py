"""How events become requests: batched across streams, one user's events in order. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from target_amplitude.delivery.throttling import FOREVER, Throttling

if TYPE_CHECKING:
    from target_amplitude.delivery.block import QueuedEvent

_MEMORY = attrgetter("memory")


@dataclass(slots=True)
class Batch:
    """Events of one or more partitions that are sent together.

    Attributes:
        events: The events, in the order they are sent.
        partitions: Indexes of the partitions they were taken from.
        retried_users: Throttled users some of whose events are sent again with it.
    """

    events: list[QueuedEvent]
    partitions: list[int]
    retried_users: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Partition:
    """Full batches, and the partial one that is being filled, whose `size` is in bytes."""

    full: deque[list[QueuedEvent]] = field(default_factory=deque)
    partial: list[QueuedEvent] = field(default_factory=list)
    size: int = 0
    is_flushed: bool = False
    is_in_flight: bool = False


class PartitionedQueue:
    """Events by user in partitions, each of which has one batch in flight at most.

    So one user's events stay in order while several requests travel. Flushed partial batches of
    several partitions are merged, so that few events make few requests.

    Attributes:
        throttling: Events that were queued and wait for their users to be throttled no longer.
        pending: Number of events that were put and not yet removed.
        memory: Bytes that these and their lines hold.
    """

    def __init__(self, partitions: int, max_events: int, max_bytes: int) -> None:
        """Prepare batches of up to so many events and bytes, commas included."""
        self._partitions = [_Partition() for _ in range(partitions)]
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.throttling = Throttling()
        self.pending = 0
        self.memory = 0

    @property
    def has_full_batch(self) -> bool:
        """Whether a full batch waits to be taken."""
        return any(partition.full for partition in self._partitions)

    def put(self, events: list[QueuedEvent]) -> None:
        """Add events in the order they were read."""
        partitions, count = self._partitions, len(self._partitions)
        for event in events:
            partition = partitions[hash(event.user) % count]
            size = len(event.body) + 1
            event.memory = len(event.body) + len(event.line)
            if partition.size + size > self._max_bytes:
                _close_partial(partition)
            partition.partial.append(event)
            partition.size += size
            if len(partition.partial) >= self._max_events:
                _close_partial(partition)
        self.pending += len(events)
        self.memory += sum(map(_MEMORY, events))

    def flush(self) -> None:
        """Let partial batches be taken as soon as their partition has nothing in flight."""
        for partition in self._partitions:
            partition.is_flushed = bool(partition.partial)

    def take(self, now: float) -> Batch | None:
        """Take the next batch that may be sent, if there is one."""
        return self._take_throttled(now) or self._take_full() or self._take_flushed()

    def release(self, batch: Batch, now: float) -> None:
        """Let the next batch of the same partitions follow one that is in flight no longer."""
        for index in batch.partitions:
            self._partitions[index].is_in_flight = False
        self.throttling.send_next(batch.retried_users, now)

    def remove(self, events: list[QueuedEvent]) -> None:
        """Forget events that are acknowledged or deferred."""
        self.pending -= len(events)
        self.memory -= sum(map(_MEMORY, events))

    def is_idle(self) -> bool:
        """Whether no batch is in flight."""
        return not any(partition.is_in_flight for partition in self._partitions)

    def _take_throttled(self, now: float) -> Batch | None:
        batch = Batch([], [])
        size = 0
        for user, throttled in self.throttling.users.items():
            index = hash(user) % len(self._partitions)
            is_blocked = self._partitions[index].is_in_flight and index not in batch.partitions
            if throttled.retry_at > now or is_blocked:
                continue
            taken = 0
            while throttled.events and taken < throttled.slice_size:
                size += len(throttled.events[0].body) + 1
                is_full = len(batch.events) >= self._max_events or size > self._max_bytes
                if is_full and batch.events:
                    break
                batch.events.append(throttled.events.popleft())
                taken += 1
            if taken:
                throttled.retry_at = FOREVER
                batch.retried_users.append(user)
                if index not in batch.partitions:
                    batch.partitions.append(index)
                    self._partitions[index].is_in_flight = True
            if len(batch.events) >= self._max_events or size > self._max_bytes:
                break
        return batch if batch.events else None

    def _take_full(self) -> Batch | None:
        idle = [each for each in enumerate(self._partitions) if not each[1].is_in_flight]
        index, fullest = max(idle, key=lambda each: len(each[1].full), default=(0, _Partition()))
        if not fullest.full:
            return None
        fullest.is_in_flight = True
        return Batch(fullest.full.popleft(), [index])

    def _take_flushed(self) -> Batch | None:
        batch = Batch([], [])
        size = 0
        for index, partition in enumerate(self._partitions):
            if partition.is_in_flight or partition.full or not partition.is_flushed:
                continue
            has_room = len(batch.events) + len(partition.partial) <= self._max_events
            if batch.events and not (has_room and size + partition.size <= self._max_bytes):
                continue
            size += partition.size
            batch.events += partition.partial
            batch.partitions.append(index)
            partition.is_in_flight = True
            partition.partial = []
            partition.size = 0
            partition.is_flushed = False
        return batch if batch.events else None


def _close_partial(partition: _Partition) -> None:
    if partition.partial:
        partition.full.append(partition.partial)
        partition.partial = []
        partition.size = 0
        partition.is_flushed = False
