"""One stream while it is read: its plan, and the lines of it that wait to be written."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tap_hubspot_email_events.hubspot.client import Tally

if TYPE_CHECKING:
    from tap_hubspot_email_events.errors import StreamError
    from tap_hubspot_email_events.reading.plan import Part, Plan
    from tap_hubspot_email_events.reading.records import Identities


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of one page of a part, packed where they must wait long."""

    part: Part
    page: int
    content: bytes
    records: int
    packed: bool = False

    def packing(self) -> Chunk:
        """The same, packed."""
        # Level 1 makes a tenth of it at a hundred megabytes a second, outside the interpreter lock.
        if self.packed:
            return self
        return replace(self, content=zlib.compress(self.content, 1), packed=True)

    def lines(self) -> bytes:
        """The lines to write."""
        return zlib.decompress(self.content) if self.packed else self.content


@dataclass(eq=False, slots=True)
class Lane:
    """One stream being read: its range in milliseconds, and how far it has come."""

    name: str
    event_type: str
    plan: Plan
    start: int
    end: int
    reached: int
    tally: Tally = field(default_factory=Tally)
    failure: StreamError | None = None
    written: int = 0
    complete: bool = False
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    last: dict[Part, Identities] = field(default_factory=dict)
    # Pages of each part that are being encoded or wait to be written.
    unwritten: Counter[Part] = field(default_factory=Counter)
    newest: list[Chunk] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether nothing is left to read or write."""
        return not self.plan.parts
