"""What a block of the input has become: events, rejects and campaigns, and the state after them."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from target_amplitude.history.counts import StreamCounts  # noqa: TC001 - msgspec reads it

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class QueuedEvent(msgspec.Struct, gc=False):
    """One event to be delivered.

    Attributes:
        body: The event as JSON.
        line: The Singer line it came from, in case it is rejected.
        counts: Counts of its stream.
        user: The id that Amplitude orders and throttles by: user id, or else device id.
        device: Device id, where it has both.
        time: When it happened, in milliseconds since 1970, where it says so.
        checkpoint: Number of the checkpoint that covers it, once it is queued.
    """

    body: bytes
    line: bytes
    counts: StreamCounts
    user: str
    device: str = ""
    time: int | None = None
    checkpoint: int = 0


class Reject(msgspec.Struct, frozen=True):
    """One refused record.

    Attributes:
        line: The Singer line it came in.
        reason: A few fixed words, by which rejects are counted.
        detail: What exactly is wrong.
        message: Amplitude's own words.
        counts: Counts of its stream, where it is to be counted once it is written.
        counted: Whether it counts towards `max_rejected_percent`.
    """

    line: bytes
    reason: str
    detail: str = ""
    message: str = ""
    counts: StreamCounts | None = None
    counted: bool = True


class Campaign(msgspec.Struct, frozen=True):
    """A row for the lookup table with its key, and the Singer line it came in."""

    key: str
    row: bytes
    line: bytes
    counts: StreamCounts


class Block(msgspec.Struct):
    """What was read since the last block, in the order of schemas, records, state.

    Attributes:
        schemas: The lines of SCHEMA messages by stream.
        skipped: Number of records that a setting or a stream map leaves out.
        state: The state that covers the records of this block and everything before it.
    """

    schemas: dict[str, bytes] = {}
    events: list[QueuedEvent] = []
    rejects: list[Reject] = []
    campaigns: list[Campaign] = []
    skipped: int = 0
    state: bytes | None = None

    @property
    def records(self) -> int:
        """Number of records read."""
        return len(self.events) + len(self.rejects) + len(self.campaigns) + self.skipped


def count_rejects(rejects: Iterable[Reject]) -> None:
    """Count records as rejected."""
    for reject in rejects:
        if reject.counts is not None:
            reject.counts.reject(reject.reason, counted=reject.counted)


def by_stream(events: Iterable[QueuedEvent]) -> Iterator[tuple[StreamCounts, list[QueuedEvent]]]:
    """Group neighbouring events of one stream; taps send pages, so groups are large."""
    for counts, group in groupby(events, attrgetter("counts")):
        yield counts, list(group)
