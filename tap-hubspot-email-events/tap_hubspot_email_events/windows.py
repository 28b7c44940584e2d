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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FREE_REQUESTS = 3.0
EARNED_PER_PAGE = 0.5
HEAD_PAGES = 3
WINDOW_PAGES = 6
CUT_PAGES = 10
GROWTH = 10


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
    progress: Progress = Progress.UNPLANNED
    cut_after: int = CUT_PAGES
    offset: str | None = None
    in_flight: bool = False
    pages: int = 0
    events: int = 0
    oldest: int | None = None
    newest_first: bool = True
    offsets: set[str] = field(default_factory=set)
    written: bool = False

    @property
    def length(self) -> int:
        """Milliseconds covered."""
        return self.end - self.start + 1


class Plan:
    """The parts of one stream's range, oldest first, and what to ask for next."""

    def __init__(self, start: int, end: int, *, page_size: int) -> None:
        """Plan the range from `start` to `end`, both inclusive, in milliseconds."""
        self.page_size = page_size
        self.parts: list[Part] = [Part(start, end, cut_after=HEAD_PAGES)] if start <= end else []
        self.requests = 0
        self.events = 0
        self._window = end - start + 1

    @property
    def credit(self) -> float:
        """Requests that may still turn out to have been for nothing.

        A part being read may end in a page that is almost empty, so each has one set aside.
        """
        reading = sum(part.progress is Progress.READING for part in self.parts)
        earned = (1 + EARNED_PER_PAGE) * self.events / self.page_size
        return FREE_REQUESTS + earned - self.requests - reading

    @property
    def front(self) -> Part | None:
        """The oldest part that is not finished."""
        return next((part for part in self.parts if part.progress is not Progress.DONE), None)

    @property
    def windows_left(self) -> float:
        """How many windows the range nobody reads yet would make at the density seen."""
        unplanned = sum(p.length for p in self.parts if p.progress is Progress.UNPLANNED)
        return unplanned / self._window

    def take(self, *, ahead: bool) -> Part | None:
        """Choose the part to ask the next page of and mark it as in flight.

        Args:
            ahead: Whether parts after the oldest unfinished one may be read as well.
        """
        front = self.front
        for part in self.parts:
            if part.progress is Progress.DONE or part.in_flight:
                if part is front and not ahead:
                    return None
                continue
            if part is not front and not ahead:
                return None
            if part.progress is Progress.UNPLANNED:
                affordable = self.credit >= 1
                if not affordable and part is not front:
                    return None
                chosen = self._carve(part) if affordable else part
            else:
                chosen = part
            chosen.progress = Progress.READING
            chosen.in_flight = True
            return chosen
        return None

    def _carve(self, unplanned: Part) -> Part:
        # A remainder too small for two windows is one: a sliver would waste a request.
        if 2 * unplanned.length <= 3 * self._window:
            return unplanned
        window = Part(unplanned.start, unplanned.start + self._window - 1)
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
        if has_more and (offset is None or (may_cut and not part.written)):
            cut = self._cut(part, created, offset)
        kept = len(created) if cut is None else sum(instant > cut for instant in created)
        part.events += kept
        self.events += kept
        if cut is not None:
            self._split(part, cut)
        elif not has_more:
            part.progress = Progress.DONE
            self._resize(part.length, part.events)
        else:
            if offset is None or offset in part.offsets:
                raise StuckError
            part.offsets.add(offset)
            part.offset = offset
        return cut

    def _note_order(self, part: Part, created: Sequence[int]) -> None:
        if not created:
            return
        descending = all(a >= b for a, b in zip(created, created[1:], strict=False))
        follows = part.oldest is None or created[0] <= part.oldest
        part.newest_first = part.newest_first and descending and follows
        part.oldest = min(created) if part.oldest is None else min(part.oldest, *created)

    def _cut(self, part: Part, created: Sequence[int], offset: str | None) -> int | None:
        oldest = part.oldest
        if oldest is None or not part.newest_first or not part.start <= oldest < part.end:
            return None
        if offset is None:
            return oldest
        # All of the last page's events at the oldest instant are read again, so it must not be
        # mostly that instant; then the pages before it cannot hold any of them either.
        repeated = sum(instant == oldest for instant in created)
        if part.pages < part.cut_after or 2 * repeated > len(created):
            return None
        kept = part.events + len(created) - repeated
        left = (oldest - part.start + 1) * kept / (part.end - oldest)
        gain = (1 + EARNED_PER_PAGE) * (len(created) - repeated) / self.page_size
        worthwhile = left >= 2 * self.page_size and self.credit + gain >= 1
        return oldest if worthwhile else None

    def _split(self, part: Part, cut: int) -> None:
        older = Part(part.start, cut)
        part.start = cut + 1
        part.progress = Progress.DONE
        self.parts.insert(self.parts.index(part), older)
        self._resize(part.length, part.events)

    def _resize(self, length: int, events: int) -> None:
        """Size the next windows by what the latest finished part has shown."""
        target = WINDOW_PAGES * self.page_size
        if events * GROWTH <= target:
            self._window = max(self._window, length * GROWTH)
        else:
            self._window = max(1, length * target // events)

    def abandon(self) -> None:
        """Give up on everything but the finished parts before the first unfinished one."""
        if (front := self.front) is not None:
            del self.parts[self.parts.index(front) :]
