"""One stream being read: its plan, and its pages that wait to be written."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_hubspot_email_events.hubspot.client import RequestCount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.errors import StreamError
    from tap_hubspot_email_events.reading.bookmarks import Bookmark
    from tap_hubspot_email_events.reading.digests import SentEvents, WindowDigest
    from tap_hubspot_email_events.reading.plan import Part, Plan
    from tap_hubspot_email_events.reading.records import Keys


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """One page of a part as lines of messages, compressed if it is held back.

    `dropped` records of it are in no line, since stream maps left nothing of them.
    """

    part: Part
    number: int
    content: bytes
    records: int
    dropped: int = 0
    compressed: bool = False

    def lines(self) -> bytes:
        """The lines to write."""
        return zlib.decompress(self.content) if self.compressed else self.content


@dataclass(eq=False, slots=True)
class StreamResult:
    """What was read of one stream.

    `written` records have left the tap, stream maps left nothing of those `dropped`, and those
    `repeated` left it in an earlier run. `reached` is in milliseconds, None without bookmarks.
    """

    name: str
    count: RequestCount = field(default_factory=RequestCount)
    written: int = 0
    reached: int | None = None
    read_whole: bool = False
    repeated: int = 0
    dropped: int = 0


@dataclass(eq=False, slots=True, kw_only=True)
class StreamSync(StreamResult):
    """One stream being read: its range in milliseconds, and how far it has come.

    Attributes:
        now: The start of the run.
        reached: The end of the last part that is written.
        known: The bookmark of the state, no later than `now`.
        bookmark: The one that this run has moved on to.
        digests: What the state remembers of the runs before, and `misplaced` beside it.
        previous_pages: What identifies the events of the page before, by part.
        unwritten: How many pages of each part are being encoded or wait to be written.
        newest: Pages of the last day, held back until everything older is on its way.
    """

    event_type: str
    plan: Plan
    now: int
    start: int
    end: int
    reached: int
    sent: SentEvents
    known: Bookmark | None = None
    known_in_future: bool = False
    bookmark: Bookmark | None = None
    digests: Sequence[WindowDigest] = ()
    misplaced: Sequence[int] = ()
    failure: StreamError | None = None
    previous_pages: dict[Part, Keys] = field(default_factory=dict)
    unwritten: Counter[Part] = field(default_factory=Counter)
    newest: list[EncodedPage] = field(default_factory=list)

    @property
    def read_from(self) -> int | None:
        """Where the first of all runs began; None where an older state does not say."""
        return self.start if self.known is None else self.known.read_from

    @property
    def done(self) -> bool:
        """Whether nothing is left to read or write."""
        return not self.plan.parts
