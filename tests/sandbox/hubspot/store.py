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


class Series:
    """The events of one type, oldest first: when they happened, their order of arrival, JSON."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, rows: list[Row]) -> None:
        """Put events in their places."""
        self.rows += rows
        self.rows.sort()

    def remove(self, ids: set[str]) -> int:
        """Remove events by id; returns how many."""
        before = len(self.rows)
        self.rows = [row for row in self.rows if FACTS.decode(row[2]).id not in ids]
        return before - len(self.rows)

    def newest_first(self, start: int, end: int, before: Position | None) -> Iterator[Row]:
        """The events with ``start <= created <= end`` that come before a place."""
        low = bisect_left(self.rows, (start,))
        beyond = Position(end + 1, 0)
        high = bisect_left(self.rows, beyond if before is None else min(before, beyond))
        return map(self.rows.__getitem__, range(high - 1, low - 1, -1))


class Account:
    """A HubSpot portal: its events, those still on their way, and what happened per campaign."""

    def __init__(self, portal_id: int, clock: Clock) -> None:
        self.portal_id = portal_id
        self.clock = clock
        self.campaigns: dict[int, Campaign] = {}
        self.contacts: dict[str, dict[str, str]] = {}
        self.series: defaultdict[str, Series] = defaultdict(Series)
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
        rows: defaultdict[str, list[Row]] = defaultdict(list)
        while self._on_their_way and self._on_their_way[0][0] <= now:
            created, kind, payload, campaign_id = heapq.heappop(self._on_their_way)[2]
            self._arrived += 1
            rows[kind].append((created, self._arrived, payload))
            if campaign_id:
                self.campaign_counts[campaign_id][kind] += 1
                latest = self.campaign_activity.get(campaign_id, 0)
                self.campaign_activity[campaign_id] = max(created, latest)
        for kind, those in rows.items():
            self.series[kind].add(those)

    def counts(self) -> dict[str, int]:
        """How many events of each type are visible."""
        self.let_arrive()
        return {kind: len(series.rows) for kind, series in sorted(self.series.items())}

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
            series.newest_first(*span, before)
            for each, series in self.series.items()
            if kind in {None, each}
        ]
        found = heapq.merge(*chosen, reverse=True)
        if wanted is not None:
            found = (row for row in found if wanted(bool(FACTS.decode(row[2]).filtered_event)))
        rows = list(islice(found, limit + 1))
        payloads = [payload for _, _, payload in rows[:limit]]
        last = Position(*rows[len(payloads) - 1][:2]) if payloads else None
        return Page(payloads, last, has_more=len(rows) > limit)

    def remove(self, ids: set[str]) -> int:
        """Let visible events disappear; returns how many."""
        self.let_arrive()
        return sum(series.remove(ids) for series in self.series.values())

    def everything(self) -> Iterator[bytes]:
        """Every visible event, type by type, oldest first."""
        self.let_arrive()
        for series in self.series.values():
            yield from (payload for _, _, payload in series.rows)
