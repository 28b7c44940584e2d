"""An event on its way to Amplitude, and the batch it travels in."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_amplitude.history.counts import StreamCounts


class QueuedEvent(msgspec.Struct, gc=False):
    """One event to be delivered.

    Attributes:
        body: The event as JSON.
        line: The Singer line it came from, in case it is rejected.
        memory: Bytes that these two hold.
        counts: Counts of its stream.
        checkpoint: Number of the checkpoint that covers it.
        user: The id that Amplitude orders and throttles by: user id, or else device id.
        device: Device id, where it has both.
        time: When it happened, in milliseconds since 1970, where it says so.
    """

    body: bytes
    line: bytes
    memory: int
    counts: StreamCounts
    checkpoint: int
    user: str
    device: str = ""
    time: int | None = None


class Batch(msgspec.Struct):
    """Events of one or more partitions that are sent together.

    Attributes:
        events: The events, in the order they are sent.
        partitions: Indexes of the partitions they were taken from.
        retried_users: Throttled users some of whose events are sent again with it.
    """

    events: list[QueuedEvent]
    partitions: list[int]
    retried_users: list[str] = []


def by_stream(events: Iterable[QueuedEvent]) -> Iterator[tuple[StreamCounts, list[QueuedEvent]]]:
    """Group neighbouring events of one stream; taps send pages, so groups are large."""
    for counts, group in groupby(events, attrgetter("counts")):
        yield counts, list(group)
