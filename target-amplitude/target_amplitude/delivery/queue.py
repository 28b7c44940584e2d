"""How events become requests: filled across streams, one user's events in order. Pure."""

from __future__ import annotations

from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_amplitude.history.counts import StreamTally

FOREVER = float("inf")

_WEIGHT = attrgetter("weight")


class Item(msgspec.Struct, gc=False):
    """One event on its way.

    Attributes:
        body: The event, encoded.
        line: The Singer line it came from, in case it is refused.
        weight: Bytes of memory that these two hold.
        tally: Where its fate is counted.
        epoch: The ledger's number of the state that will cover it.
        user: The id that Amplitude orders and throttles by: user, or else device.
        device: Device id, where it has both.
        time: When it happened, in milliseconds since 1970, where it says so.
    """

    body: bytes
    line: bytes
    weight: int
    tally: StreamTally
    epoch: int
    user: str
    device: str = ""
    time: int | None = None


class Parked:
    """Events of a throttled user, released a slice at a time; `until` is on the run's clock."""

    __slots__ = ("attempts", "items", "slice", "until")

    def __init__(self) -> None:
        """Start without events."""
        self.items: deque[Item] = deque()
        self.until = 0.0
        self.slice = 0
        self.attempts = 0


class Batch(msgspec.Struct):
    """Events of one or more lanes that travel together."""

    items: list[Item]
    lanes: list[int]
    released: list[str] = []


class _Lane:
    __slots__ = ("busy", "full", "is_due", "open", "size")

    def __init__(self) -> None:
        self.open: list[Item] = []
        self.size = 0
        self.full: deque[list[Item]] = deque()
        self.busy = False
        self.is_due = False


class Lanes:
    """Spreads users over lanes; a lane has one request under way at a time.

    So one user's events stay in order while several requests travel. Partial batches of idle lanes
    are merged when they are due, so that little work is few requests. Until `spread` is called,
    all users share one lane: batches then hold events as they were read, whose memory is at hand,
    and where answers come at once that is faster than several requests at a time.
    """

    def __init__(self, count: int, max_events: int, max_bytes: int) -> None:
        """Make lanes for requests of so many events and bytes, commas included, at most."""
        self._lanes = [_Lane()]
        self._count = 1
        self._most = count
        self._latest: Batch | None = None
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.parked: dict[str, Parked] = {}
        self.exhausted: set[str] = set()
        self.held = 0
        self.weight = 0
        self._closed = 0

    @property
    def in_use(self) -> int:
        """How many batches may be under way at a time."""
        return self._count

    @property
    def is_spread(self) -> bool:
        """Whether all lanes are in use."""
        return self._count == self._most

    @property
    def waiting(self) -> int:
        """How many full batches wait for their lane."""
        return sum(len(lane.full) for lane in self._lanes)

    def put(self, items: list[Item]) -> int:
        """Add events in the order they were read; returns how many full batches they made."""
        closed = self._closed
        self._share_out(items)
        self.held += len(items)
        self.weight += sum(map(_WEIGHT, items))
        return self._closed - closed

    def spread(self) -> None:
        """Use all lanes from now on; a batch under way comes before everything else in each."""
        if self.is_spread:
            return
        (shared,) = self._lanes
        self._lanes = [_Lane() for _ in range(self._most)]
        self._count = self._most
        if shared.busy and self._latest is not None:
            self._latest.lanes = list(range(self._most))
            for lane in self._lanes:
                lane.busy = True
        for items in shared.full:
            self._share_out(items)
        self._share_out(shared.open)
        if shared.is_due:
            self.make_due()

    def _share_out(self, items: list[Item]) -> None:
        lanes, count = self._lanes, self._count
        for item in items:
            lane = lanes[hash(item.user) % count]
            size = len(item.body) + 1
            if lane.size + size > self._max_bytes:
                self._close(lane)
            lane.open.append(item)
            lane.size += size
            if len(lane.open) >= self._max_events:
                self._close(lane)

    def make_due(self) -> None:
        """Let partial batches go as soon as their lane is idle."""
        for lane in self._lanes:
            lane.is_due = bool(lane.open)

    def take(self, now: float) -> Batch | None:
        """The next batch that may travel, or None."""
        batch = self._take_released(now) or self._take_full() or self._take_due()
        self._latest = batch or self._latest
        return batch

    def give_back(self, batch: Batch, now: float) -> None:
        """End a batch's journey; its users' further parked events may follow."""
        for index in batch.lanes:
            self._lanes[index].busy = False
        for user in batch.released:
            parked = self.parked.get(user)
            if parked is None or parked.until != FOREVER:
                continue
            if parked.items:
                parked.until = now
                parked.attempts = 0
                parked.slice *= 2
            else:
                del self.parked[user]

    def park(self, items: Iterable[Item], until: float) -> int:
        """Hold throttled events back, ahead of later ones of the same users.

        Returns the largest number of times in a row that one of these users was parked.
        """
        by_user: dict[str, list[Item]] = {}
        for item in items:
            by_user.setdefault(item.user, []).append(item)
        attempts = 0
        for user, own in by_user.items():
            parked = self.parked.setdefault(user, Parked())
            parked.items.extendleft(reversed(own))
            parked.until = until
            parked.slice = max(1, len(own) // 2)
            parked.attempts += 1
            attempts = max(attempts, parked.attempts)
        return attempts

    def sift(self, items: list[Item]) -> tuple[list[Item], list[Item]]:
        """Events of a batch that may travel, and those whose users' quota is used up.

        Events of parked users are held back behind the earlier ones.
        """
        if not (self.parked or self.exhausted):
            return items, []
        ready, left = [], []
        for item in items:
            if item.user in self.exhausted or item.device in self.exhausted:
                left.append(item)
            elif item.user in self.parked and self.parked[item.user].until != FOREVER:
                self.parked[item.user].items.append(item)
            else:
                ready.append(item)
        return ready, left

    def exhaust(self, users: Iterable[str]) -> list[Item]:
        """Give up on users until another run; returns their parked events."""
        left: list[Item] = []
        for user in users:
            self.exhausted.add(user)
            parked = self.parked.pop(user, None)
            if parked is not None:
                left.extend(parked.items)
        return left

    def drop(self, items: list[Item]) -> None:
        """Stop holding events whose fate is known."""
        self.held -= len(items)
        self.weight -= sum(map(_WEIGHT, items))

    def next_release(self) -> float:
        """When the next parked events may go; infinity where none wait."""
        return min((parked.until for parked in self.parked.values()), default=FOREVER)

    def has_more(self) -> bool:
        """Whether an idle lane has a batch that may travel, or parked events wait."""
        return bool(self.parked) or any(
            not lane.busy and (lane.full or lane.is_due) for lane in self._lanes
        )

    def is_idle(self) -> bool:
        """Whether no batch is under way."""
        return not any(lane.busy for lane in self._lanes)

    def _close(self, lane: _Lane) -> None:
        if lane.open:
            lane.full.append(lane.open)
            self._closed += 1
            lane.open = []
            lane.size = 0
            lane.is_due = False

    def _take_released(self, now: float) -> Batch | None:
        batch = Batch([], [])
        size = 0
        for user, parked in self.parked.items():
            index = hash(user) % self._count
            if parked.until > now or (self._lanes[index].busy and index not in batch.lanes):
                continue
            taken = 0
            while parked.items and taken < parked.slice:
                item = parked.items[0]
                size += len(item.body) + 1
                full = len(batch.items) >= self._max_events or size > self._max_bytes
                if full and batch.items:
                    break
                batch.items.append(parked.items.popleft())
                taken += 1
            if taken:
                parked.until = FOREVER
                batch.released.append(user)
                if index not in batch.lanes:
                    batch.lanes.append(index)
                    self._lanes[index].busy = True
            if len(batch.items) >= self._max_events or size > self._max_bytes:
                break
        return batch if batch.items else None

    def _take_full(self) -> Batch | None:
        longest: int | None = None
        waiting = 0
        for index, lane in enumerate(self._lanes):
            if not lane.busy and len(lane.full) > waiting:
                longest, waiting = index, len(lane.full)
        if longest is None:
            return None
        self._lanes[longest].busy = True
        return Batch(self._lanes[longest].full.popleft(), [longest])

    def _take_due(self) -> Batch | None:
        batch = Batch([], [])
        size = 0
        for index, lane in enumerate(self._lanes):
            if lane.busy or lane.full or not lane.is_due:
                continue
            fits = len(batch.items) + len(lane.open) <= self._max_events
            if batch.items and not (fits and size + lane.size <= self._max_bytes):
                continue
            size += lane.size
            batch.items += lane.open
            batch.lanes.append(index)
            lane.busy = True
            lane.open = []
            lane.size = 0
            lane.is_due = False
        return batch if batch.items else None
