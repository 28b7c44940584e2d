"""How a time range becomes requests, without clock or network.

HubSpot returns the events of a range newest first, in pages that must be requested one after
another, so one long range is one slow chain. A plan therefore splits a range into parts that are
read side by side and finished oldest first. It decides by what the pages show, and by its own
accounting keeps this promise, however the events are distributed:

    requests <= 1.5 * events / page size + a few

A part that proves too large costs no extra request: its chain is cut, and what was read stays as a
finished, newer part. A part that proves too small costs one. So only new parts need credit, and
full pages earn it. Without credit the rest is read as one chain, which takes the fewest requests.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from dataclasses import dataclass, field

FREE_REQUESTS = 3.0
EARNED_PER_PAGE = 0.5
HEAD_PAGES = 3
"""The newest pages wait in memory until everything older is written, so their chain is short."""
CUT_PAGES = 8
"""After so many pages, what is left of any other part becomes a part of its own."""
WINDOW_PAGES = 7
"""A window is as long as so many pages at the density of the `DENSITY_PARTS` finished last; fewer
than `CUT_PAGES`, or one as full as expected would be cut and leave a sliver."""
DENSITY_PARTS = 8
GROWTH = 10
"""Windows grow by this factor as long as they hold next to nothing."""
SPLIT_PAGES = 3.0
"""A part with fewer pages left is not worth the extra request of splitting it."""
EMPTY_PAGES = 100
"""After so many pages without events, but with more to come, the paging is taken to be broken."""


class PartKind(enum.Enum):
    """Where a part comes from, which decides what happens when it proves too full."""

    # The newest events, read first to learn how dense the range is.
    HEAD = enum.auto()
    # A range still to be planned, or taken off its oldest side by the density seen so far.
    WINDOW = enum.auto()
    # What is left of a part that was split.
    REST = enum.auto()


class PartStatus(enum.Enum):
    """How far a part has been read."""

    UNPLANNED = enum.auto()
    READING = enum.auto()
    DONE = enum.auto()


@dataclass(eq=False, slots=True)
class Part:
    """A time range of one stream, both bounds inclusive, in milliseconds."""

    start: int
    end: int
    kind: PartKind
    status: PartStatus = PartStatus.UNPLANNED
    offset: str | None = None
    in_flight: bool = False
    # All pages are requested from this start, since an offset belongs to its request.
    requested_start: int = 0
    pages: int = 0
    events: int = 0
    oldest: int | None = None
    newest_first: bool = True
    # The last page held events of one instant only, so how many more there are is unknown.
    at_one_instant: bool = False
    empty_pages: int = 0
    offsets: set[str] = field(default_factory=set)

    @property
    def cut_after(self) -> int:
        """Pages after which it has proved too full."""
        return HEAD_PAGES if self.kind is PartKind.HEAD else CUT_PAGES

    @property
    def length(self) -> int:
        """Milliseconds covered."""
        return self.end - self.start + 1

    @property
    def unread_up_to(self) -> int:
        """The newest instant of which events may still come."""
        if self.oldest is None or not self.newest_first:
            return self.end
        return min(self.oldest, self.end)

    def note_order(self, created: list[int]) -> None:
        """Note how far back a page goes and whether events still come newest first."""
        if not created:
            return
        descending = created == sorted(created, reverse=True)
        follows = self.oldest is None or created[0] <= self.oldest
        self.newest_first = self.newest_first and descending and follows
        oldest = min(created)
        self.at_one_instant = oldest == max(created)
        self.oldest = oldest if self.oldest is None else min(self.oldest, oldest)


class PagingError(Exception):
    """HubSpot says there are more events but gives no way to them."""


class Plan:
    """The parts of one stream's range, oldest first, and which page to request next."""

    def __init__(self, start: int, end: int, *, page_size: int) -> None:
        """Plan the range from `start` to `end`, both inclusive, in milliseconds."""
        self.page_size = page_size
        self.parts = [Part(start, end, PartKind.HEAD)] if start <= end else []
        self.requests = 0
        self.events = 0
        # Lengths and events of finished parts.
        self._finished: deque[tuple[int, int]] = deque(maxlen=DENSITY_PARTS)
        self._window_length = 1

    @property
    def credit(self) -> float:
        """Requests that may still turn out to have been unnecessary.

        The last page of a part may be almost empty, so one is set aside for each part being read.
        """
        reading = sum(part.status is PartStatus.READING for part in self.parts)
        earned = (1 + EARNED_PER_PAGE) * self.events / self.page_size
        return FREE_REQUESTS + earned - self.requests - reading

    @property
    def pages_left(self) -> float:
        """About how many pages are still to come, at the density seen last."""
        if not self._finished and self.parts:
            return math.inf
        return sum(self._pages_left(part) for part in self.parts)

    @property
    def length_left(self) -> int:
        """Milliseconds of the range that have not been read."""
        return sum(
            part.length if part.oldest is None else max(0, part.oldest - part.start)
            for part in self.parts
            if part.status is not PartStatus.DONE
        )

    def is_read(self, start: int, end: int) -> bool:
        """Whether every event between two instants, both inclusive, has been received."""
        return not any(
            part.start <= end and start <= part.unread_up_to
            for part in self.parts
            if part.status is not PartStatus.DONE
        )

    def _pages_left(self, part: Part) -> float:
        if part.status is PartStatus.DONE:
            return 0.0
        if part.oldest is None or part.oldest >= part.end:
            return part.length * self._density / self.page_size
        density = part.events / (part.end - part.oldest)
        return max(0, part.oldest - part.start) * density / self.page_size

    @property
    def _density(self) -> float:
        """Events per millisecond."""
        length = sum(length for length, _ in self._finished)
        return sum(events for _, events in self._finished) / length if length else 0.0

    def take(self) -> Part | None:
        """Choose the oldest part whose next page can be requested, and mark it in flight."""
        oldest = True
        for part in self.parts:
            if part.status is PartStatus.DONE:
                continue
            if not part.in_flight:
                if part.status is PartStatus.UNPLANNED and self.credit >= 1:
                    return self._send(self._take_window(part))
                if part.status is PartStatus.READING or oldest:
                    return self._send(part)
                return None
            oldest = False
        return None

    def split_longest(self) -> Part | None:
        """Split the longest part being read, and choose its older half to be read beside it."""
        reading = [part for part in self.parts if part.status is PartStatus.READING]
        part = max(reading, key=self._pages_left, default=None)
        if part is None or part.oldest is None or self.credit < 1:
            return None
        if not part.newest_first or part.at_one_instant:
            return None
        if self._pages_left(part) < SPLIT_PAGES:
            return None
        middle = part.oldest - (part.oldest - part.start) // 2
        half = Part(part.start, middle - 1, PartKind.REST)
        self.parts.insert(self.parts.index(part), half)
        part.start = middle
        return self._send(half)

    def _send(self, part: Part) -> Part:
        if part.status is PartStatus.UNPLANNED:
            part.requested_start = part.start
        part.status = PartStatus.READING
        part.in_flight = True
        return part

    def _take_window(self, unplanned: Part) -> Part:
        """Split a window off the oldest side, or return the whole part if it is short enough."""
        if unplanned.kind is not PartKind.WINDOW:
            return unplanned
        length = self._window_length
        if self._density:
            length = max(length, int(WINDOW_PAGES * self.page_size / self._density))
        if unplanned.length <= length:
            return unplanned
        window = Part(unplanned.start, unplanned.start + length - 1, PartKind.WINDOW)
        unplanned.start = window.end + 1
        self.parts.insert(self.parts.index(unplanned), window)
        return window

    def receive(
        self,
        part: Part,
        created: list[int],
        *,
        has_more: bool,
        offset: str | None,
        may_cut: bool = True,
    ) -> int | None:
        """Take note of a page of a part, given as its events' `created` in the order received.

        Returns:
            None if the whole page counts, else the instant at which the part was cut: events up
            to and including it belong to an older part and must be left out of this one.

        Raises:
            PagingError: There is more, but no offset and no older instant to go on from, or the
                offset has been followed before.
        """
        part.in_flight = False
        part.pages += 1
        self.requests += 1
        part.note_order(created)
        cut = None
        # Whether the page reaches back beyond the part's start, its older half being read apart.
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
            part.status = PartStatus.DONE
            self._learn_density(part)
        else:
            part.empty_pages = 0 if created else part.empty_pages + 1
            if offset is None or offset in part.offsets or part.empty_pages > EMPTY_PAGES:
                raise PagingError
            part.offsets.add(offset)
            part.offset = offset
        return cut

    def _cut(self, part: Part, created: list[int], offset: str | None) -> int | None:
        """Where to cut a part that has proved too full, if that is worthwhile."""
        oldest = part.oldest
        if oldest is None or not part.newest_first or not part.start <= oldest < part.end:
            return None
        if offset is None:
            return oldest
        if part.pages < part.cut_after:
            return None
        # The page's events at the oldest instant are read again, so they must be a minority; then
        # no earlier page can hold events of that instant either.
        mostly_new = 2 * created.count(oldest) <= len(created)
        return oldest if mostly_new and self.credit >= 1 else None

    def _split(self, part: Part, cut: int) -> None:
        """Keep what was read as a finished, newer part, and plan the rest anew."""
        start, part.start = part.start, cut + 1
        part.status = PartStatus.DONE
        self._learn_density(part)
        # A window's density was only that of a burst; what is left of the newest events is planned
        # from its oldest side, at theirs.
        kind = PartKind.WINDOW if part.kind is PartKind.HEAD else PartKind.REST
        self.parts.insert(self.parts.index(part), Part(start, cut, kind))

    def _learn_density(self, part: Part) -> None:
        """Take over the density of a finished part."""
        if part.events * GROWTH <= WINDOW_PAGES * self.page_size:
            self._window_length = max(self._window_length, part.length * GROWTH)
        else:
            self._window_length = 1
        self._finished.append((part.length, part.events))

    def abandon(self, failed: Part) -> None:
        """Drop all parts from the first that failed or is unfinished."""
        for index, part in enumerate(self.parts):
            if part is failed or part.status is not PartStatus.DONE:
                del self.parts[index:]
                return
