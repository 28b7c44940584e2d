"""How events become requests: batched across streams, one user's events in order. Pure."""

from __future__ import annotations

from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING

from target_amplitude.delivery.queued_event import Batch
from target_amplitude.delivery.throttling import FOREVER, Throttling

if TYPE_CHECKING:
    from target_amplitude.delivery.queued_event import QueuedEvent

_MEMORY = attrgetter("memory")


class _Partition:
    """Full batches, and the partial one that is being filled, whose `size` is in bytes."""

    __slots__ = ("full", "is_flushed", "is_in_flight", "partial", "size")

    def __init__(self) -> None:
        self.full: deque[list[QueuedEvent]] = deque()
        self.partial: list[QueuedEvent] = []
        self.size = 0
        self.is_flushed = False
        self.is_in_flight = False


class PartitionedQueue:
    """Events by user in partitions, each of which has one batch in flight at most.

    So one user's events stay in order while several requests travel. Flushed partial batches of
    several partitions are merged, so that few events make few requests. Until `split` is called,
    there is a single partition: its batches hold events in the order they were read, which is
    faster to encode, and where answers come at once one request at a time beats several.

    Attributes:
        throttling: Events that were queued and wait for their users to be throttled no longer.
        pending: Number of events that were put and not yet removed.
        memory: Bytes that these hold.
    """

    def __init__(self, partitions: int, max_events: int, max_bytes: int) -> None:
        """Prepare batches of up to so many events and bytes, commas included."""
        self._partitions = [_Partition()]
        self._max_partitions = partitions
        self._last_taken: Batch | None = None
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._filled = 0
        self.throttling = Throttling()
        self.pending = 0
        self.memory = 0

    @property
    def partition_count(self) -> int:
        """How many batches may be in flight at a time."""
        return len(self._partitions)

    @property
    def is_split(self) -> bool:
        """Whether there are as many partitions as there may be."""
        return len(self._partitions) == self._max_partitions

    @property
    def full_batches(self) -> int:
        """How many full batches wait to be taken."""
        return sum(len(partition.full) for partition in self._partitions)

    def put(self, events: list[QueuedEvent]) -> int:
        """Add events in the order they were read; returns how many batches they filled."""
        filled = self._filled
        self._distribute(events)
        self.pending += len(events)
        self.memory += sum(map(_MEMORY, events))
        return self._filled - filled

    def split(self) -> None:
        """Use all partitions from now on, each only after a batch that is still in flight."""
        if self.is_split:
            return
        (single,) = self._partitions
        self._partitions = [_Partition() for _ in range(self._max_partitions)]
        if single.is_in_flight and self._last_taken is not None:
            self._last_taken.partitions = list(range(self._max_partitions))
            for partition in self._partitions:
                partition.is_in_flight = True
        for events in single.full:
            self._distribute(events)
        self._distribute(single.partial)
        if single.is_flushed:
            self.flush()

    def flush(self) -> None:
        """Let partial batches be taken as soon as their partition has nothing in flight."""
        for partition in self._partitions:
            partition.is_flushed = bool(partition.partial)

    def take(self, now: float) -> Batch | None:
        """Take the next batch that may be sent, if there is one."""
        batch = self._take_throttled(now) or self._take_full() or self._take_flushed()
        self._last_taken = batch or self._last_taken
        return batch

    def complete(self, batch: Batch, now: float) -> None:
        """Note that a batch is no longer in flight."""
        for index in batch.partitions:
            self._partitions[index].is_in_flight = False
        self.throttling.complete(batch.retried_users, now)

    def remove(self, events: list[QueuedEvent]) -> None:
        """Forget events that are settled or left for another run."""
        self.pending -= len(events)
        self.memory -= sum(map(_MEMORY, events))

    def has_more(self) -> bool:
        """Whether a batch may be taken now, or throttled events wait."""
        return bool(self.throttling.users) or any(
            not partition.is_in_flight and (partition.full or partition.is_flushed)
            for partition in self._partitions
        )

    def is_idle(self) -> bool:
        """Whether no batch is in flight."""
        return not any(partition.is_in_flight for partition in self._partitions)

    def _distribute(self, events: list[QueuedEvent]) -> None:
        partitions, count = self._partitions, len(self._partitions)
        for event in events:
            partition = partitions[hash(event.user) % count]
            size = len(event.body) + 1
            if partition.size + size > self._max_bytes:
                self._close_partial(partition)
            partition.partial.append(event)
            partition.size += size
            if len(partition.partial) >= self._max_events:
                self._close_partial(partition)

    def _close_partial(self, partition: _Partition) -> None:
        if partition.partial:
            partition.full.append(partition.partial)
            self._filled += 1
            partition.partial = []
            partition.size = 0
            partition.is_flushed = False

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
        fullest: int | None = None
        most = 0
        for index, partition in enumerate(self._partitions):
            if not partition.is_in_flight and len(partition.full) > most:
                fullest, most = index, len(partition.full)
        if fullest is None:
            return None
        self._partitions[fullest].is_in_flight = True
        return Batch(self._partitions[fullest].full.popleft(), [fullest])

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
