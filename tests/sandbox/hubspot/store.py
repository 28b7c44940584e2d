"""What one HubSpot account holds, kept so that a page is a slice."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.clock import Clock
    from sandbox.scenarios.campaigns import Campaign

Row = tuple[int, int, bytes]


class Arrival(NamedTuple):
    """One event as it comes in: when it happened (ms), what it is, and its JSON."""

    created: int
    type: str
    payload: bytes
    campaign_id: int


class Position(NamedTuple):
    """A place between two events: ``created`` in ms, and the order of arrival within it."""

    created: int
    sequence: int


class Page(NamedTuple):
    """Events newest first, the place of the last of them, and whether older ones follow."""

    payloads: Sequence[bytes]
    last: Position | None
    has_more: bool


class Facts(msgspec.Struct, rename="camel"):
    """What an event is found or left out by."""

    id: str = ""
    filtered_event: bool | None = None


FACTS = msgspec.json.Decoder(Facts)


def newest_first(rows: list[Row], start: int, end: int, before: Position | None) -> Iterator[Row]:
    """The events with ``start <= created <= end`` that come before a place."""
    low = bisect_left(rows, (start,))
    beyond = Position(end + 1, 0)
    high = bisect_left(rows, beyond if before is None else min(before, beyond))
    return map(rows.__getitem__, range(high - 1, low - 1, -1))


class Account:
    """A HubSpot portal: its events, those still on their way, and what happened per campaign."""

    def __init__(self, portal_id: int, clock: Clock) -> None:
        self.portal_id = portal_id
        self.clock = clock
        self.campaigns: dict[int, Campaign] = {}
        self.contacts: dict[str, dict[str, str]] = {}
        # By type, oldest first: when it happened, its order of arrival, its JSON.
        self.events: defaultdict[str, list[Row]] = defaultdict(list)
        self.campaign_counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.campaign_activity: dict[int, int] = {}
        self._on_their_way: list[tuple[float, int, Arrival]] = []
        self._arrived = 0

    def add(self, arrivals: Iterable[Arrival], visible_at: float = 0.0) -> None:
        """Take events in, visible from a moment on (Unix seconds, by HubSpot's clock)."""
        for arrival in arrivals:
            self._arrived += 1
            heapq.heappush(self._on_their_way, (visible_at, self._arrived, arrival))

    def let_arrive(self) -> None:
        """Show what has become visible by now."""
        now = self.clock.now()
        changed = set()
        while self._on_their_way and self._on_their_way[0][0] <= now:
            created, kind, payload, campaign_id = heapq.heappop(self._on_their_way)[2]
            self._arrived += 1
            self.events[kind].append((created, self._arrived, payload))
            changed.add(kind)
            if campaign_id:
                self.campaign_counts[campaign_id][kind] += 1
                latest = self.campaign_activity.get(campaign_id, 0)
                self.campaign_activity[campaign_id] = max(created, latest)
        for kind in changed:
            self.events[kind].sort()

    def counts(self) -> dict[str, int]:
        """How many events of each type are visible."""
        self.let_arrive()
        return {kind: len(rows) for kind, rows in sorted(self.events.items())}

    def page(
        self,
        kind: str | None,
        span: tuple[int, int],
        before: Position | None,
        limit: int,
        wanted: Callable[[bool], bool] | None,
    ) -> Page:
        """One page of events, newest first, of one type or of all."""
        self.let_arrive()
        chosen = [
            newest_first(rows, *span, before)
            for each, rows in self.events.items()
            if kind in {None, each}
        ]
        found = heapq.merge(*chosen, reverse=True)
        if wanted is not None:
            found = (row for row in found if wanted(bool(FACTS.decode(row[2]).filtered_event)))
        rows = list(islice(found, limit + 1))
        payloads = [payload for _, _, payload in rows[:limit]]
        last = Position(*rows[len(payloads) - 1][:2]) if payloads else None
        return Page(payloads, last, has_more=len(rows) > limit)

    def remove(self, ids: set[str]) -> None:
        """Let visible events disappear."""
        self.let_arrive()
        for kind, rows in self.events.items():
            self.events[kind] = [row for row in rows if FACTS.decode(row[2]).id not in ids]

    def everything(self) -> Iterator[bytes]:
        """Every visible event, type by type, oldest first."""
        self.let_arrive()
        for rows in self.events.values():
            yield from (payload for _, _, payload in rows)
