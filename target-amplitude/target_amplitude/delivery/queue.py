"""How events become requests: batched across streams, one user's events in order. Pure.

Events of users whom Amplitude throttles wait apart, so that nobody else waits for them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_amplitude.delivery.block import QueuedEvent


@dataclass(slots=True)
class Batch:
    """Events of one or more partitions that are sent together.

    Attributes:
        events: The events, in the order they are sent.
        partitions: The partitions they were taken from.
        retried_users: Throttled users some of whose events are sent again with it.
        size: Bytes of the events, commas included.
    """

    events: list[QueuedEvent] = field(default_factory=list)
    partitions: list[Partition] = field(default_factory=list)
    retried_users: list[str] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True, eq=False)
class Partition:
    """Events of some of the users, in order."""

    events: deque[QueuedEvent] = field(default_factory=deque)
    is_flushed: bool = False
    is_in_flight: bool = False


@dataclass(slots=True)
class ThrottledUser:
    """Events of a throttled user, of which a slice is sent at a time.

    `retry_at` is in seconds of the run's clock, and infinite while a slice is in flight.
    """

    events: deque[QueuedEvent] = field(default_factory=deque)
    retry_at: float = 0.0
    slice_size: int = 0
    attempts: int = 0


class PartitionedQueue:
    """Events by user in partitions, each of which has one batch in flight at most.

    So one user's events stay in order while several requests travel. A batch is filled from all
    partitions with nothing in flight: where answers come at once, it holds the events read last,
    which are still in the processor's cache, and one sender is enough.

    Attributes:
        throttled: Users whom Amplitude throttles, with what waits of theirs.
        pending: Number of events that were put and not yet removed.
        memory: Bytes that these and their lines hold.
    """

    def __init__(self, partitions: int, max_events: int, max_bytes: int) -> None:
        """Prepare batches of up to so many events and bytes, commas included."""
        self._partitions = [Partition() for _ in range(partitions)]
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.throttled: dict[str, ThrottledUser] = {}
        self._over_quota: set[str] = set()
        self.pending = 0
        self.memory = 0

    @property
    def has_full_batch(self) -> bool:
        """Whether a full batch can be taken."""
        return self._can_fill(self._idle())

    def put(self, events: list[QueuedEvent]) -> None:
        """Add events in the order they were read."""
        partitions, count = self._partitions, len(self._partitions)
        for event in events:
            partitions[hash(event.user) % count].events.append(event)
        self.pending += len(events)
        self.memory += _memory_of(events)

    def flush(self) -> None:
        """Let what is queued be taken as soon as its partition has nothing in flight."""
        for partition in self._partitions:
            partition.is_flushed = bool(partition.events)

    def take(self, now: float) -> Batch | None:
        """Take the next batch that may be sent, if there is one."""
        while True:
            batch = Batch()
            self._take_throttled(batch, now)
            if not batch.events:
                self._take_queued(batch)
            if not batch.events:
                return None
            batch.events = self._without_waiting(batch.events)
            if batch.events:
                return batch
            self.release(batch, now)

    def release(self, batch: Batch, now: float) -> None:
        """Let the next batch of the same partitions follow one that is in flight no longer.

        After a slice of a throttled user's events has gone through, one twice as large follows.
        """
        for partition in batch.partitions:
            partition.is_in_flight = False
        for user in batch.retried_users:
            throttled = self.throttled.get(user)
            if throttled is None or throttled.retry_at != inf:
                continue
            if throttled.events:
                throttled.retry_at = now
                throttled.attempts = 0
                throttled.slice_size *= 2
            else:
                del self.throttled[user]

    def remove(self, events: list[QueuedEvent]) -> None:
        """Forget events that are acknowledged or deferred."""
        self.pending -= len(events)
        self.memory -= _memory_of(events)

    def hold(self, events: Iterable[QueuedEvent], until: float) -> int:
        """Hold throttled events back, ahead of later ones of the same users.

        Returns the largest number of times in a row that one of these users was throttled.
        """
        by_user: dict[str, list[QueuedEvent]] = {}
        for event in events:
            by_user.setdefault(event.user, []).append(event)
        attempts = 0
        for user, own in by_user.items():
            throttled = self.throttled.setdefault(user, ThrottledUser())
            throttled.events.extendleft(reversed(own))
            throttled.retry_at = until
            throttled.slice_size = max(1, len(own) // 2)
            throttled.attempts += 1
            attempts = max(attempts, throttled.attempts)
        return attempts

    def defer(self, users: set[str], events: list[QueuedEvent]) -> None:
        """Forget events, and whatever else is or will be queued of their users."""
        self._over_quota |= users
        self.remove(events)
        for user in users & self.throttled.keys():
            self.remove(list(self.throttled.pop(user).events))

    def is_idle(self) -> bool:
        """Whether no batch is in flight."""
        return not any(partition.is_in_flight for partition in self._partitions)

    def _idle(self) -> list[Partition]:
        return [each for each in self._partitions if each.events and not each.is_in_flight]

    def _can_fill(self, partitions: list[Partition]) -> bool:
        return sum([len(partition.events) for partition in partitions]) >= self._max_events

    def _take_queued(self, batch: Batch) -> None:
        partitions = self._idle()
        if not self._can_fill(partitions):
            partitions = [each for each in partitions if each.is_flushed]
        # From the fullest, so that where much waits, a batch is of one partition.
        for partition in sorted(partitions, key=lambda each: -len(each.events)):
            if not self._move(partition.events, batch, self._max_events):
                return
            partition.is_flushed &= bool(partition.events)
            _occupy(partition, batch)

    def _take_throttled(self, batch: Batch, now: float) -> None:
        for user, throttled in self.throttled.items():
            partition = self._partitions[hash(user) % len(self._partitions)]
            is_blocked = partition.is_in_flight and partition not in batch.partitions
            if throttled.retry_at > now or is_blocked:
                continue
            if self._move(throttled.events, batch, throttled.slice_size):
                throttled.retry_at = inf
                batch.retried_users.append(user)
                _occupy(partition, batch)

    def _without_waiting(self, events: list[QueuedEvent]) -> list[QueuedEvent]:
        """Put events of throttled users behind their earlier ones, and forget deferred ones."""
        if not (self.throttled or self._over_quota):
            return events
        ready, deferred = [], []
        for event in events:
            throttled = self.throttled.get(event.user)
            if event.user in self._over_quota or event.device in self._over_quota:
                deferred.append(event)
            elif throttled is not None and throttled.retry_at != inf:
                throttled.events.append(event)
            else:
                ready.append(event)
        self.remove(deferred)
        return ready

    def _move(self, events: deque[QueuedEvent], batch: Batch, most: int) -> int:
        """Move up to so many events to a batch, as far as it has room; returns how many."""
        most = min(most, self._max_events - len(batch.events), len(events))
        moved = [events.popleft() for _ in range(most)]
        size = sum([len(event.body) for event in moved]) + len(moved)
        while moved and batch.size + size > self._max_bytes and (batch.events or len(moved) > 1):
            events.appendleft(moved.pop())
            size -= len(events[0].body) + 1
        batch.events += moved
        batch.size += size
        return len(moved)


def _occupy(partition: Partition, batch: Batch) -> None:
    if not partition.is_in_flight:
        partition.is_in_flight = True
        batch.partitions.append(partition)


def _memory_of(events: list[QueuedEvent]) -> int:
    return sum([len(event.body) + len(event.line) for event in events])
