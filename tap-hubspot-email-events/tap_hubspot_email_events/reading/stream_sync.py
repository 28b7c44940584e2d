"""One stream being read: its plan, and its pages that wait to be written."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tap_hubspot_email_events.hubspot.client import RequestCount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.errors import StreamError
    from tap_hubspot_email_events.reading.bookmarks import Bookmark
    from tap_hubspot_email_events.reading.digests import SentEvents, WindowDigest
    from tap_hubspot_email_events.reading.plan import Part, Plan
    from tap_hubspot_email_events.reading.records import PreviousPage


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """One page of a part as lines of messages, compressed if it must wait long.

    `dropped` records of it are in no line, since stream maps left nothing of them.
    """

    part: Part
    number: int
    content: bytes
    records: int
    dropped: int = 0
    compressed: bool = False

    def compress(self) -> EncodedPage:
        """The same page, compressed."""
        # Level 1 shrinks it to a tenth at 100 MB/s, without holding the interpreter lock.
        if self.compressed:
            return self
        return replace(self, content=zlib.compress(self.content, 1), compressed=True)

    def lines(self) -> bytes:
        """The lines to write."""
        return zlib.decompress(self.content) if self.compressed else self.content


@dataclass(eq=False, slots=True)
class StreamSync:
    """One stream being read: its range in milliseconds, and how far it has come."""

    name: str
    event_type: str
    plan: Plan
    # The start of the run.
    now: int
    start: int
    end: int
    # The end of the last part that is written.
    reached: int
    sent: SentEvents
    bookmark: Bookmark | None = None
    # Whether the state had a bookmark, and where the first of all runs began if it says so.
    resumed: bool = False
    bookmark_in_future: bool = False
    bookmark_moved: bool = False
    # What the state remembers of the runs before, until the bookmark moves.
    in_state: Sequence[WindowDigest] = ()
    misplaced_in_state: Sequence[int] = ()
    read_from: int | None = None
    count: RequestCount = field(default_factory=RequestCount)
    failure: StreamError | None = None
    written: int = 0
    dropped: int = 0
    read_whole: bool = False
    previous_pages: dict[Part, PreviousPage] = field(default_factory=dict)
    # How many pages of each part are being encoded or wait to be written.
    unwritten: Counter[Part] = field(default_factory=Counter)
    # Pages of the last day, held back until everything older is on its way.
    newest: list[EncodedPage] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether nothing is left to read or write."""
        return not self.plan.parts
