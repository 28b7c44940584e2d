"""Which of the events read Amplitude holds, and how often. Pure but for its memory."""

from __future__ import annotations

import enum
from array import array
from bisect import bisect_left
from dataclasses import astuple, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from target_amplitude.reconcile.exported import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.reconcile.exported import ExportedEvent

_BUCKETS = 4096
_MARK = 0x80
_MOST = _MARK - 1
_MAX_PORTALS = 1000


class Verdict(enum.Enum):
    """What becomes of an event that was read."""

    PRESENT = enum.auto()  # whoever brought it, and also where it was read before
    MISSING = enum.auto()
    TOO_EARLY = enum.auto()


@dataclass(slots=True)
class Balance:
    """The events of one type: those read, and what Amplitude holds of them and beside them.

    `other_source` are those of `amplitude` that only another source brought, `doubled` copies more
    than one, and `too_early` those it lacks and may only not export yet.
    """

    hubspot: int = 0
    amplitude: int = 0
    missing: int = 0
    doubled: int = 0
    other_source: int = 0
    only_in_amplitude: int = 0
    other_portal: int = 0
    too_early: int = 0


class _OwnEvent(Event):
    insert_id: str | None = None
    time: int | None = None

    @property
    def keys(self) -> tuple[bytes, bytes]:
        """What only this event has, and what it has in common with another source's of the same."""
        content = self.content(self.time)
        # Without an id, only its content can be recognised.
        return b"\0" + content if self.insert_id is None else self.insert_id.encode(), content


_decode = msgspec.json.Decoder(_OwnEvent).decode


class Comparison:
    """Takes all events read, then all events exported, and then says of each what became of it."""

    def __init__(self) -> None:
        self.balances: dict[str, Balance] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.found = 0
        self._portals: set[int | None] = set()
        self._keys = KeySet()

    @property
    def total(self) -> Balance:
        """The figures of all event types together."""
        balances = map(astuple, self.balances.values())
        return Balance(*map(sum, zip(*balances, strict=True)))

    def add(self, body: bytes) -> None:
        """Take an event that was read, as it would be sent."""
        event = _decode(body)
        self.balances.setdefault(event.event_type, Balance())
        if event.time is not None:
            self.first = event.time if self.first is None else min(self.first, event.time)
            self.last = event.time if self.last is None else max(self.last, event.time)
        if len(self._portals) < _MAX_PORTALS:
            self._portals.add(event.portal)
        for key in event.keys:
            self._keys.add(key)

    def freeze(self) -> None:
        """Prepare for the export, once all events are read."""
        self._keys.freeze()

    def note(self, exported: ExportedEvent) -> None:
        """Take an event that Amplitude holds."""
        balance = self.balances.get(exported.event_type)
        if balance is None:
            return
        if exported.insert_id is not None and self._keys.note(exported.insert_id.encode()):
            self.found += 1
            return
        times = exported.times
        if any(self._keys.note(exported.content(time)) for time in times):
            self.found += 1
            return
        if not times or self.first is None or self.last is None:
            return
        if self.first <= times[0] <= self.last:
            if exported.portal is not None and exported.portal not in self._portals:
                balance.other_portal += 1
            else:
                balance.only_in_amplitude += 1

    def judge(self, body: bytes, is_too_early: Callable[[int], bool]) -> Verdict:
        """Say what became of an event that was read, and count it.

        `is_too_early` tells by its time whether Amplitude may hold it and not export it yet.
        """
        event = _decode(body)
        key, content = event.keys
        if not self._keys.mark(key):
            return Verdict.PRESENT
        balance = self.balances[event.event_type]
        balance.hubspot += 1
        own, others = self._keys.count(key), self._keys.count(content)
        if own or others:
            balance.amplitude += 1
            balance.doubled += own + others - 1
            balance.other_source += not own
            return Verdict.PRESENT
        if event.time is not None and is_too_early(event.time):
            balance.too_early += 1
            return Verdict.TOO_EARLY
        balance.missing += 1
        return Verdict.MISSING


class KeySet:
    """Keys are added first, then counted; of their hash, 76 bits tell them apart.

    So one of ten million is taken for one of a hundred million others once in 75 million times.
    """

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._counts: list[bytearray] = []

    def add(self, key: bytes) -> None:
        """Add a key; nothing may have been counted yet."""
        bucket, rest = _hash(key)
        self._buckets[bucket].append(rest)

    def freeze(self) -> None:
        """Prepare to count, once all keys are added."""
        for number, bucket in enumerate(self._buckets):
            self._buckets[number] = array("Q", sorted(set(bucket)))
        self._counts = [bytearray(len(bucket)) for bucket in self._buckets]

    def note(self, key: bytes) -> bool:
        """Count a key once more, if it is in the set; returns whether it is."""
        counts, place = self._find(key)
        if place < 0:
            return False
        if counts[place] & _MOST < _MOST:
            counts[place] += 1
        return True

    def count(self, key: bytes) -> int:
        """How often a key was counted, 127 at most."""
        counts, place = self._find(key)
        return counts[place] & _MOST if place >= 0 else 0

    def mark(self, key: bytes) -> bool:
        """Mark a key of the set; returns whether it was not marked before."""
        counts, place = self._find(key)
        is_first = not counts[place] & _MARK
        counts[place] |= _MARK
        return is_first

    def _find(self, key: bytes) -> tuple[bytearray, int]:
        bucket, rest = _hash(key)
        values = self._buckets[bucket]
        place = bisect_left(values, rest)
        is_found = place < len(values) and values[place] == rest
        return self._counts[bucket], place if is_found else -1


def _hash(key: bytes) -> tuple[int, int]:
    digest = blake2b(key, digest_size=10).digest()
    return int.from_bytes(digest[:2], "big") % _BUCKETS, int.from_bytes(digest[2:], "big")
