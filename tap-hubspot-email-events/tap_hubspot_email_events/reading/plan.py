"""How a time range becomes requests: pure, no clock, no network.

HubSpot returns the events of a range newest first, in pages that must be asked for one after
another, so one long range is one slow chain. A plan therefore splits a range into parts that are
read side by side and finished oldest first, by what the pages show and with this promise kept by
its own accounting, whatever the distribution of the events:

    requests <= 1.5 * events / page size + a few

A part too large costs no request more (its chain is cut and what it has read stays as a finished
newer part); a part too small costs one. So only new parts need credit, and credit comes from full
pages. Without it the rest is read as one chain, which always costs the least there is.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FREE_REQUESTS = 3.0
EARNED_PER_PAGE = 0.5
# The first chain's pages wait in memory until everything older is written, so it is short.
HEAD_PAGES = 3
SMALLEST_WINDOW_PAGES = 4
LARGEST_WINDOW_PAGES = 20
SURPRISE_PAGES = 8
# How many more parts a burst is split into when a part proves too full.
BURST_PARTS = 3
BURST_PAGES = 8
GROWTH = 10
# A part with fewer pages left is not worth another request.
SHARED_PAGES = 3.0
SHARED_MOST = 10
# Pages without events but with more to come, before that is taken for a fault of HubSpot's.
EMPTY_PAGES = 100
# Density is judged by so many finished parts.
MEMORY = 8


class Kind(enum.Enum):
    """Where a part comes from, which decides what is done when it proves too full."""

    HEAD = enum.auto()
    WINDOW = enum.auto()
    BURST = enum.auto()
    REST = enum.auto()


class Progress(enum.Enum):
    """How far a part has come."""

    UNPLANNED = enum.auto()
    READING = enum.auto()
    DONE = enum.auto()


class StuckError(Exception):
    """HubSpot says there is more but gives no way to it."""


@dataclass(eq=False, slots=True)
class Part:
    """A time range of one stream, both bounds inclusive, in milliseconds."""

    start: int
    end: int
    kind: Kind
    # Pages after which a part proves too full.
    cut_after: int = SURPRISE_PAGES
    progress: Progress = Progress.UNPLANNED
    offset: str | None = None
    in_flight: bool = False
    # The start all pages are asked with, since an offset belongs to its question.
    asked_start: int = 0
    pages: int = 0
    events: int = 0
    oldest: int | None = None
    newest_first: bool = True
    # The last page held events of one instant only, so nobody knows how far it goes on.
    at_one_instant: bool = False
    empty_pages: int = 0
    offsets: set[str] = field(default_factory=set)

    @property
    def length(self) -> int:
        """Milliseconds covered."""
        return self.end - self.start + 1


class Plan:
    """The parts of one stream's range, oldest first, and what to ask for next."""

    def __init__(self, start: int, end: int, *, page_size: int) -> None:
        """Plan the range from `start` to `end`, both inclusive, in milliseconds."""
        self.page_size = page_size
        self.parts: list[Part] = [Part(start, end, Kind.HEAD, HEAD_PAGES)] if start <= end else []
        self.requests = 0
        self.events = 0
        self._seen: deque[tuple[int, int]] = deque(maxlen=MEMORY)
        self._grown = 1
        self._dense = False

    @property
    def credit(self) -> float:
        """Requests that may still turn out to have been for nothing.

        A part being read may end in a page that is almost empty, so each has one set aside.
        """
        reading = sum(part.progress is Progress.READING for part in self.parts)
        earned = (1 + EARNED_PER_PAGE) * self.events / self.page_size
        return FREE_REQUESTS + earned - self.requests - reading

    @property
    def pages_left(self) -> float:
        """About how many pages are still to come, at the density seen last."""
        if not self._seen and self.parts:
            return math.inf
        return sum(self._pages_left(part) for part in self.parts)

    def _pages_left(self, part: Part) -> float:
        if part.progress is Progress.DONE:
            return 0.0
        if part.oldest is None or part.oldest >= part.end:
            return part.length * self._density / self.page_size
        density = part.events / (part.end - part.oldest)
        return max(0, part.oldest - part.start) * density / self.page_size

    @property
    def _density(self) -> float:
        """Events a millisecond."""
        length = sum(length for length, _ in self._seen)
        return sum(events for _, events in self._seen) / length if length else 0.0

    def take(self) -> Part | None:
        """Choose the part to ask the next page of, the oldest there is, and mark it in flight."""
        in_front = True
        for part in self.parts:
            if part.progress is Progress.DONE:
                continue
            if not part.in_flight:
                if part.progress is Progress.UNPLANNED and self.credit >= 1:
                    if self._gropes and part.kind is Kind.WINDOW:
                        return None
                    return self._send(self._carve(part))
                if part.progress is Progress.READING or in_front:
                    return self._send(part)
                return None
            in_front = False
        return None

    @property
    def _gropes(self) -> bool:
        """Whether nothing is known of how dense the oldest side is until a window answers."""
        if self._dense:
            return False
        return any(
            part.kind is Kind.WINDOW and part.progress is Progress.READING and not part.pages
            for part in self.parts
        )

    def share(self) -> Part | None:
        """Take the older half of the longest part that is being read, to read it side by side."""
        reading = [part for part in self.parts if part.progress is Progress.READING]
        part = max(reading, key=self._pages_left, default=None)
        if part is None or part.oldest is None or self.credit < 1:
            return None
        if not part.newest_first or part.at_one_instant:
            return None
        pages = self._pages_left(part)
        if pages < SHARED_PAGES:
            return None
        # What is said of far away is a guess, so a share is near, and the rest a part of its own.
        length = int((part.oldest - part.start) * min(0.5, SHARED_MOST / pages))
        middle = part.oldest - length
        first = middle - length
        at = self.parts.index(part)
        if first - part.start < length:
            first = part.start
        else:
            self.parts.insert(at, Part(part.start, first - 1, Kind.REST))
            at += 1
        shared = Part(first, middle - 1, Kind.REST)
        self.parts.insert(at, shared)
        part.start = middle
        return self._send(shared)

    def _send(self, part: Part) -> Part:
        if part.progress is Progress.UNPLANNED:
            part.asked_start = part.start
        part.progress = Progress.READING
        part.in_flight = True
        return part

    def _carve(self, unplanned: Part) -> Part:
        """Take a window off the oldest side."""
        if unplanned.kind is not Kind.WINDOW:
            return unplanned
        # Long windows waste less, short ones leave work for everybody until the end.
        pages = min(LARGEST_WINDOW_PAGES, max(SMALLEST_WINDOW_PAGES, self.pages_left / 3))
        length, cut_after = self._grown, SURPRISE_PAGES
        if self._density and (expected := int(pages * self.page_size / self._density)) >= length:
            length = max(1, expected)
            cut_after = max(SURPRISE_PAGES, int(1.5 * pages))
        # A remainder too small for two windows is one: a sliver would waste a request.
        if 2 * unplanned.length <= 3 * length:
            unplanned.cut_after = cut_after
            return unplanned
        end = unplanned.start + length - 1
        window = Part(unplanned.start, end, Kind.WINDOW, cut_after)
        unplanned.start = window.end + 1
        self.parts.insert(self.parts.index(unplanned), window)
        return window

    def receive(
        self,
        part: Part,
        created: Sequence[int],
        *,
        has_more: bool,
        offset: str | None,
        may_cut: bool = True,
    ) -> int | None:
        """Take note of a page of a part, given as its events' `created` in the order sent.

        Returns:
            None where the whole page counts, else the instant the part was cut at: events up to
            and including it belong to an older part and must be left out of this one.

        Raises:
            StuckError: There is more, but no offset and no older instant to go on from, or the
                offset has been followed before.
        """
        part.in_flight = False
        part.pages += 1
        self.requests += 1
        self._note_order(part, created)
        cut = None
        # Whether what comes is older than what is left of a part whose older half another reads.
        passed = created and min(created) < part.start
        if passed:
            cut = part.start - 1
            has_more = has_more and not part.newest_first
        elif has_more and (offset is None or may_cut):
            cut = self._cut(part, created, offset)
        kept = len(created) if cut is None else sum(instant > cut for instant in created)
        part.events += kept
        self.events += kept
        if cut is not None and not passed:
            self._split(part, cut)
        elif not has_more:
            part.progress = Progress.DONE
            self._note(part)
        else:
            part.empty_pages = 0 if created else part.empty_pages + 1
            if offset is None or offset in part.offsets or part.empty_pages > EMPTY_PAGES:
                raise StuckError
            part.offsets.add(offset)
            part.offset = offset
        return cut

    def _note_order(self, part: Part, created: Sequence[int]) -> None:
        if not created:
            return
        descending = list(created) == sorted(created, reverse=True)
        follows = part.oldest is None or created[0] <= part.oldest
        part.newest_first = part.newest_first and descending and follows
        oldest = min(created)
        part.at_one_instant = oldest == max(created)
        part.oldest = oldest if part.oldest is None else min(part.oldest, oldest)

    def _cut(self, part: Part, created: Sequence[int], offset: str | None) -> int | None:
        oldest = part.oldest
        if oldest is None or not part.newest_first or not part.start <= oldest < part.end:
            return None
        if offset is None:
            return oldest
        if part.pages < part.cut_after:
            return None
        # All of the last page's events at the oldest instant are read again, so it must not be
        # mostly that instant; then the pages before it cannot hold any of them either.
        repeated = created.count(oldest)
        if 2 * repeated > len(created):
            return None
        kept = part.events + len(created) - repeated
        left = (oldest - part.start + 1) * kept / (part.end - oldest)
        gain = (1 + EARNED_PER_PAGE) * (len(created) - repeated) / self.page_size
        worthwhile = left >= 2 * self.page_size and self.credit + gain >= 1
        return oldest if worthwhile else None

    def _split(self, part: Part, cut: int) -> None:
        """Keep what was read as a finished newer part and plan the rest anew."""
        start, part.start = part.start, cut + 1
        part.progress = Progress.DONE
        self._note(part)
        at = self.parts.index(part)
        if part.kind is Kind.WINDOW:
            # Most likely a burst, so the density just seen holds next to what was read: a few
            # parts side by side there, and one for whatever comes before.
            self.parts[at:at] = self._burst(part, start, cut)
        else:
            # No burst but a busier time (or the first look at the newest events): plan it as
            # such, from its oldest side.
            self._seen.clear()
            self._grown = 1
            self._note(part)
            self.parts.insert(at, Part(start, cut, Kind.WINDOW))

    def _burst(self, part: Part, start: int, cut: int) -> list[Part]:
        length = max(1, part.length * BURST_PAGES * self.page_size // max(1, part.events))
        room = (cut - start + 1) // length - 1
        count = max(0, min(BURST_PARTS, room, int(self.credit) - 1))
        rest = cut - count * length
        parts = [Part(start, rest, Kind.REST)]
        for number in range(count):
            first = rest + 1 + number * length
            parts.append(Part(first, first + length - 1, Kind.BURST, 2 * BURST_PAGES))
        return parts

    def _note(self, part: Part) -> None:
        """Learn the density from a finished part."""
        self._dense = part.kind is Kind.WINDOW and part.events > 0
        if part.events * GROWTH <= SMALLEST_WINDOW_PAGES * self.page_size:
            self._grown = max(self._grown, part.length * GROWTH)
        else:
            self._grown = 1
        self._seen.append((part.length, part.events))

    def abandon(self, failed: Part) -> None:
        """Give up on everything but the finished parts before the first that failed or is open."""
        for index, part in enumerate(self.parts):
            if part is failed or part.progress is not Progress.DONE:
                del self.parts[index:]
                return
