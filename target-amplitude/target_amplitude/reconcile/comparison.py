"""Which of the events read Amplitude holds, and how often. Pure but for its memory."""

from __future__ import annotations

import enum
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from target_amplitude.reconcile.exported import portal_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.reconcile.exported import ExportedEvent, Portal

_BUCKETS = 4096
_MARK = 0x80
_MOST = _MARK - 1
_MAX_PORTALS = 1000


class Verdict(enum.Enum):
    """What became of an event in Amplitude."""

    PRESENT = enum.auto()
    OTHER_SOURCE = enum.auto()
    MISSING = enum.auto()
    TOO_EARLY = enum.auto()
    # It was in the input before.
    REPEATED = enum.auto()


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


class _OwnEvent(msgspec.Struct):
    event_type: str
    insert_id: str | None = None
    user_id: str | None = None
    device_id: str | None = None
    time: int | None = None
    event_properties: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(_OwnEvent).decode


class Comparison:
    """Takes all events read, then all events exported, and then says of each what became of it."""

    def __init__(self) -> None:
        self.balances: dict[str, Balance] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.found = 0
        self._portals: set[Portal] = set()
        self._by_id = KeySet()
        self._by_content = KeySet()

    def add(self, body: bytes) -> None:
        """Take an event that was read, as it would be sent."""
        event = _decode(body)
        self.balances.setdefault(event.event_type, Balance())
        if event.time is not None:
            self.first = event.time if self.first is None else min(self.first, event.time)
            self.last = event.time if self.last is None else max(self.last, event.time)
        if len(self._portals) < _MAX_PORTALS:
            self._portals.add(portal_of(event.event_properties))
        self._by_id.add(_id_key(event))
        self._by_content.add(_content_key(event.event_type, _user(event), event.time))

    def freeze(self) -> None:
        """Prepare for the export, once all events are read."""
        self._by_id.freeze()
        self._by_content.freeze()

    def note(self, exported: ExportedEvent) -> None:
        """Take an event that Amplitude holds."""
        balance = self.balances.get(exported.event_type or "")
        if balance is None:
            return
        if exported.insert_id is not None and self._by_id.note(exported.insert_id.encode()):
            self.found += 1
            return
        user, times = exported.user_id or exported.device_id or "", exported.times
        for time in times:
            if self._by_content.note(_content_key(exported.event_type or "", user, time)):
                self.found += 1
                return
        if not times or self.first is None or self.last is None:
            return
        if self.first <= times[0] <= self.last:
            portal = portal_of(exported.event_properties)
            if portal is not None and portal not in self._portals:
                balance.other_portal += 1
            else:
                balance.only_in_amplitude += 1

    def judge(self, body: bytes, is_too_early: Callable[[int], bool]) -> Verdict:
        """Say what became of an event that was read, and count it.

        `is_too_early` tells by its time whether Amplitude may hold it and not export it yet.
        """
        event = _decode(body)
        key = _id_key(event)
        if not self._by_id.mark(key):
            return Verdict.REPEATED
        balance = self.balances[event.event_type]
        balance.hubspot += 1
        own = self._by_id.count(key)
        others = self._by_content.count(_content_key(event.event_type, _user(event), event.time))
        if own or others:
            balance.amplitude += 1
            balance.doubled += own + others - 1
            balance.other_source += not own
            return Verdict.PRESENT if own else Verdict.OTHER_SOURCE
        if event.time is not None and is_too_early(event.time):
            balance.too_early += 1
            return Verdict.TOO_EARLY
        balance.missing += 1
        return Verdict.MISSING


def _id_key(event: _OwnEvent) -> bytes:
    if event.insert_id is not None:
        return event.insert_id.encode()
    # Without an id, only its content can be recognised.
    return b"\0" + _content_key(event.event_type, _user(event), event.time)


def _content_key(event_type: str, user: str, time: int | None) -> bytes:
    return f"{event_type}\0{user}\0{time}".encode()


def _user(event: _OwnEvent) -> str:
    return event.user_id or event.device_id or ""


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
        bucket, place = self._find(key)
        if place < 0:
            return False
        counts = self._counts[bucket]
        if counts[place] & _MOST < _MOST:
            counts[place] += 1
        return True

    def count(self, key: bytes) -> int:
        """How often a key was counted, 127 at most."""
        bucket, place = self._find(key)
        return self._counts[bucket][place] & _MOST if place >= 0 else 0

    def mark(self, key: bytes) -> bool:
        """Mark a key of the set; returns whether it was not marked before."""
        bucket, place = self._find(key)
        counts = self._counts[bucket]
        is_first = not counts[place] & _MARK
        counts[place] |= _MARK
        return is_first

    def _find(self, key: bytes) -> tuple[int, int]:
        bucket, rest = _hash(key)
        values = self._buckets[bucket]
        place = bisect_left(values, rest)
        return bucket, place if place < len(values) and values[place] == rest else -1


def _hash(key: bytes) -> tuple[int, int]:
    digest = blake2b(key, digest_size=10).digest()
    return int.from_bytes(digest[:2], "big") % _BUCKETS, int.from_bytes(digest[2:], "big")
