"""What has left the tap, remembered as digests of windows of time, so that it leaves once.

Events appear late, so each run reads the lookback again. A window is a range of `created` with a
few events in it; its digest is their number and the sum of a hash of each. A window that reads
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
MOST_MISPLACED = 10_000
"""Misplaced events remembered within a run; one beyond them is sent each time it is seen."""
_HASH = struct.Struct(">Q")
# Length in ms (at least 1), number of events, sum of their hashes.
_PACKED = struct.Struct(">IIQ")
_LONGEST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class WindowDigest:
    """A range of `created`, both bounds inclusive, in milliseconds, and what was in it."""

    start: int
    end: int
    count: int
    digest: int


@dataclass(frozen=True, slots=True)
class Range:
    """A range of `created`, both bounds inclusive, in milliseconds, and what was seen in it."""

    start: int
    end: int
    seen: Sequence[WindowDigest]


def event_hash(event: Event) -> int:
    """What distinguishes an event from another, and from itself once it is obsolete."""
    obsolete = event.get("obsoletedBy")
    later = obsolete.get("id") if isinstance(obsolete, dict) else None
    text = f"{event['created']} {event['id']} {later or ''}"
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def cut(whole: Range, most: int) -> list[WindowDigest]:
    """Cut a range into at most about `most` windows with equally many events in each.

    A window longer than 49 days is cut again.
    """
    start, end = whole.start, whole.end
    each = max(1, -(-sum(bucket.count for bucket in whole.seen) // max(1, most)))
    digests: list[WindowDigest] = []
    count = digest = 0
    taken = start - 1

    def close(stop: int) -> None:
        nonlocal start, count, digest
        while stop - start >= _LONGEST:
            digests.append(WindowDigest(start, start + _LONGEST - 1, 0, 0))
            start += _LONGEST
        digests.append(WindowDigest(start, stop, count, digest))
        start, count, digest = stop + 1, 0, 0

    for bucket in (*whole.seen, WindowDigest(end, end, 0, 0)):
        # Before a gap of 49 days, so that what was seen before it is not counted after it.
        if start <= taken and bucket.end - start >= _LONGEST:
            close(taken)
        count, digest = count + bucket.count, (digest + bucket.digest) % MODULUS
        taken = min(bucket.end, end)
        if count >= each and taken < end:
            close(taken)
    if start <= end:
        close(end)
    return digests


def cut_together(ranges: Mapping[str, Range], most: int) -> dict[str, list[WindowDigest]]:
    """Cut the ranges of several streams into at most about `most` digests in all.

    Where there are more events in a stream, it has more of them, and at least one.
    """
    counts = {name: sum(bucket.count for bucket in each.seen) for name, each in ranges.items()}
    total = max(1, sum(counts.values()))
    return {name: cut(each, 1 + most * counts[name] // total) for name, each in ranges.items()}


def encode(digests: Iterable[WindowDigest]) -> str:
    """Encode digests that follow one another, 22 characters each."""
    packed = b"".join(
        _PACKED.pack(each.end - each.start + 1, each.count, each.digest) for each in digests
    )
    return base64.b64encode(packed).decode()


def decode(text: object, start: int) -> list[WindowDigest]:
    """Decode what `encode` has made, given where it starts; nothing if it is something else."""
    rows = _unpack(text, _PACKED)
    ends = list(accumulate((length for length, _, _ in rows), initial=start - 1))
    return [
        WindowDigest(before + 1, stop, count, digest)
        for before, stop, (_, count, digest) in zip(ends, ends[1:], rows, strict=False)
    ]


def encode_hashes(hashes: Iterable[int]) -> str:
    """Encode hashes of events, 11 characters each."""
    return base64.b64encode(b"".join(map(_HASH.pack, hashes))).decode()


def decode_hashes(text: object) -> list[int]:
    """Decode what `encode_hashes` has made; nothing if it is something else."""
    return [number for (number,) in _unpack(text, _HASH)]


def _unpack(text: object, layout: struct.Struct) -> list[tuple[int, ...]]:
    try:
        packed = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        return list(layout.iter_unpack(packed))
    except (binascii.Error, struct.error, ValueError):
        return []


class SentEvents:
    """What left the tap before, as digests, and what is seen in this run, for the next one.

    Used by one thread at a time.
    """

    def __init__(
        self,
        known: Sequence[WindowDigest],
        *,
        since: int,
        bucket: int,
        misplaced: Iterable[int] = (),
    ) -> None:
        """Remember what is seen from `since` on, in buckets of `bucket` milliseconds.

        `misplaced` are the hashes of misplaced events that left before.
        """
        # Whole buckets, as the windows made of them are.
        since -= since % bucket
        self.repeated = 0
        # Hashes of the misplaced events seen in this run, in their order.
        self.misplaced: dict[int, None] = {}
        self._known_misplaced = frozenset(misplaced)
        self._known = known
        self._ends = [window.end for window in known]
        self._since = since
        self._bucket = bucket
        self._first = min([since, *(window.start for window in known)])
        # Number and digest of the events seen, by bucket.
        self._seen: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        # Events and their digest, by the place of a window that is not yet read whole.
        self._waiting: defaultdict[int, list[Event]] = defaultdict(list)
        self._digests: defaultdict[int, int] = defaultdict(int)
        self._decided: set[int] = set()

    def deduplicate(self, events: list[Event], is_read: Callable[[int, int], bool]) -> list[Event]:
        """Take a page's events, and return those to send now, newest first.

        A window waits until `is_read` says of its bounds that it has been read whole.
        """
        if not events or max(map(_created, events)) < self._first:
            return events
        send: list[Event] = []
        for event in events:
            self._take(event, send)
        for place in list(self._waiting):
            window = self._known[place]
            if is_read(window.start, window.end):
                self._decide(place, send)
        send.sort(key=_created, reverse=True)
        return send

    def deduplicate_misplaced(self, events: Iterable[Event]) -> list[Event]:
        """Take events that lie outside the range they came for, and return those to send.

        No window holds them, so they are remembered one by one.
        """
        send = []
        for event in events:
            digest = event_hash(event)
            if digest in self.misplaced:
                continue
            if len(self.misplaced) < MOST_MISPLACED:
                self.misplaced[digest] = None
            if digest in self._known_misplaced:
                self.repeated += 1
            else:
                send.append(event)
        return send

    def _take(self, event: Event, send: list[Event]) -> None:
        created, digest = _created(event), event_hash(event)
        if created >= self._since:
            seen = self._seen[created // self._bucket]
            seen[0] += 1
            seen[1] += digest
        place = bisect_left(self._ends, created)
        # One that comes once its window is decided was not in it before.
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
        window, events = self._known[place], self._waiting.pop(place)
        digest = self._digests.pop(place) % MODULUS
        self._decided.add(place)
        if (len(events), digest) == (window.count, window.digest):
            self.repeated += len(events)
        else:
            send += events

    def bucket_start(self, instant: int) -> int:
        """The beginning of the bucket that an instant lies in."""
        return instant - instant % self._bucket

    def seen(self, start: int, end: int) -> Range:
        """What was seen between two instants, in buckets."""
        size = self._bucket
        first, last = start // size, end // size
        buckets = [
            WindowDigest(number * size, (number + 1) * size - 1, *self._seen[number])
            for number in sorted(self._seen)
            if first <= number <= last
        ]
        return Range(start, end, buckets)


def _created(event: Event) -> int:
    created: int = event["created"]
    return created
