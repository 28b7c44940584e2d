"""A part of a stream's time range: what it covers and how far it has been read."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

# Pages after which a part has proved too full.
SURPRISE_PAGES = 8


class PartKind(enum.Enum):
    """Where a part comes from, which decides what happens when it proves too full."""

    # The newest events, read first to learn how dense the range is.
    HEAD = enum.auto()
    # A stretch taken off the oldest side, as long as the density seen so far suggests.
    WINDOW = enum.auto()
    # One of several short parts next to where a window proved too full.
    BURST = enum.auto()
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
    # Pages after which it has proved too full.
    cut_after: int = SURPRISE_PAGES
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
