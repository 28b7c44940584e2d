"""What has left the tap, remembered as digests of stretches of time, so that it leaves once.

Events appear late, so each run reads the lookback again. A stretch is a range of `created` with a
few events in it; its digest is their number and the sum of a hash of each. A stretch that reads
the same as before is not sent again. Where the two differ by anything, all of it is sent, so an
event can be sent twice but never be left out: equal digests of different events would need two
sums of 64-bit hashes to be equal by chance.
"""

from __future__ import annotations

import base64
import binascii
import struct
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_hubspot_email_events.hubspot.events import Event

MODULUS = 2**64
# Length in ms (at least 1), number of events, sum of their hashes.
_PACKED = struct.Struct(">IIQ")
_LONGEST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """A range of `created`, both bounds inclusive, in milliseconds, and what was in it."""

    start: int
    end: int
    count: int
    digest: int


@dataclass(frozen=True, slots=True)
class Slot:
    """The events seen in a short time that ends at `end`, in milliseconds."""

    end: int
    count: int
    digest: int


@dataclass(frozen=True, slots=True)
class Range:
    """A range of `created`, both bounds inclusive, in milliseconds, and its slots, in order."""

    start: int
    end: int
    slots: Sequence[Slot]

    @classmethod
    def of(cls, stretches: Sequence[Stretch]) -> Range:
        """The range of stretches that follow one another, at least one."""
        slots = [Slot(each.end, each.count, each.digest) for each in stretches]
        return cls(stretches[0].start, stretches[-1].end, slots)


def event_hash(event: Event) -> int:
    """What distinguishes an event from another, and from itself once it is obsolete."""
    obsolete = event.get("obsoletedBy")
    later = obsolete.get("id") if isinstance(obsolete, dict) else None
    text = f"{event['created']} {event['id']} {later or ''}"
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def cut(slots: Sequence[Slot], start: int, end: int, most: int) -> list[Stretch]:
    """Cut a range into at most about `most` stretches with equally many events in each.

    Args:
        slots: What was seen in the range, in order.
        start: The beginning of the range, in milliseconds.
        end: Its end, inclusive.
        most: The number of stretches, at least 1; a stretch longer than 49 days is cut again.
    """
    each = max(1, -(-sum(slot.count for slot in slots) // max(1, most)))
    stretches: list[Stretch] = []
    count = digest = 0
    taken = start - 1

    def close(stop: int) -> None:
        nonlocal start, count, digest
        while stop - start >= _LONGEST:
            stretches.append(Stretch(start, start + _LONGEST - 1, 0, 0))
            start += _LONGEST
        stretches.append(Stretch(start, stop, count, digest))
        start, count, digest = stop + 1, 0, 0

    for slot in (*slots, Slot(end, 0, 0)):
        # Before a gap of 49 days, so that what was seen before it is not counted after it.
        if start <= taken and slot.end - start >= _LONGEST:
            close(taken)
        count, digest = count + slot.count, (digest + slot.digest) % MODULUS
        taken = min(slot.end, end)
        if count >= each and taken < end:
            close(taken)
    if start <= end:
        close(end)
    return stretches


def cut_together(ranges: Mapping[str, Range], most: int) -> dict[str, list[Stretch]]:
    """Cut the ranges of several streams into at most about `most` stretches in all.

    Where there are more events in a stream, it has more of them, and at least one.
    """
    counts = {name: sum(slot.count for slot in each.slots) for name, each in ranges.items()}
    total = max(1, sum(counts.values()))
    return {
        name: cut(each.slots, each.start, each.end, 1 + most * counts[name] // total)
        for name, each in ranges.items()
    }


def encode(stretches: Iterable[Stretch]) -> str:
    """Encode stretches that follow one another, 22 characters each."""
    packed = b"".join(
        _PACKED.pack(each.end - each.start + 1, each.count, each.digest) for each in stretches
    )
    return base64.b64encode(packed).decode()


def decode(text: object, start: int) -> list[Stretch]:
    """Decode what `encode` has made, given where it starts; nothing if it is something else."""
    try:
        packed = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        rows = list(_PACKED.iter_unpack(packed))
    except (binascii.Error, struct.error, ValueError):
        return []
    ends = list(accumulate((length for length, _, _ in rows), initial=start - 1))
    return [
        Stretch(before + 1, stop, count, digest)
        for before, stop, (_, count, digest) in zip(ends, ends[1:], rows, strict=False)
    ]


class SentEvents:
    """The stretches that left the tap before, and what is seen in this run, for the next one.

    Used by one thread at a time.
    """

    def __init__(self, known: Sequence[Stretch], *, since: int, slot: int) -> None:
        """Remember what is seen from `since` on, in slots of `slot` milliseconds."""
        self.repeated = 0
        self._known = known
        self._ends = [stretch.end for stretch in known]
        self._since = since
        self._slot = slot
        self._first = min([since, *(stretch.start for stretch in known)])
        # Number and digest of the events seen, by slot.
        self._seen: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        # Events and their digest, by the place of a stretch that is not yet read whole.
        self._waiting: defaultdict[int, list[Event]] = defaultdict(list)
        self._digests: defaultdict[int, int] = defaultdict(int)
        self._decided: set[int] = set()

    def sort_out(self, events: list[Event], is_read: Callable[[int, int], bool]) -> list[Event]:
        """Take a page's events, and return those to send now, newest first.

        A stretch waits until `is_read` says of its bounds that it has been read whole.
        """
        if not events or max(map(_created, events)) < self._first:
            return events
        send: list[Event] = []
        for event in events:
            self._take(event, send)
        for place in list(self._waiting):
            stretch = self._known[place]
            if is_read(stretch.start, stretch.end):
                self._decide(place, send)
        send.sort(key=_created, reverse=True)
        return send

    def _take(self, event: Event, send: list[Event]) -> None:
        created, digest = _created(event), event_hash(event)
        if created >= self._since:
            seen = self._seen[created // self._slot]
            seen[0] += 1
            seen[1] += digest
        place = bisect_left(self._ends, created)
        # One that comes once its stretch is decided was not in it before.
        if (
            place == len(self._known)
            or created < self._known[place].start
            or place in self._decided
        ):
            send.append(event)
            return
        self._waiting[place].append(event)
        self._digests[place] += digest
        if len(self._waiting[place]) > self._known[place].count:
            # It has changed, so nothing more of it need be held.
            self._decide(place, send)

    def _decide(self, place: int, send: list[Event]) -> None:
        stretch, events = self._known[place], self._waiting.pop(place)
        digest = self._digests.pop(place) % MODULUS
        self._decided.add(place)
        if (len(events), digest) == (stretch.count, stretch.digest):
            self.repeated += len(events)
        else:
            send += events

    def slot_start(self, instant: int) -> int:
        """The beginning of the slot that an instant lies in."""
        return instant - instant % self._slot

    def seen(self, start: int, end: int) -> list[Slot]:
        """What was seen in the slots between two instants, in order."""
        first, last = start // self._slot, end // self._slot
        return [
            Slot((number + 1) * self._slot - 1, *self._seen[number])
            for number in sorted(self._seen)
            if first <= number <= last
        ]


def _created(event: Event) -> int:
    created: int = event["created"]
    return created
