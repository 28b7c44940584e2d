"""What one HubSpot account holds, kept so that a page is a slice."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.clock import Clock
    from sandbox.scenarios.campaigns import Campaign

FEW = 200


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
    """Events newest first, the place after the last of them, and whether older ones follow."""

    payloads: Sequence[bytes]
    last: Position | None
    has_more: bool


class Facts(msgspec.Struct, rename="camel"):
    """What a query can leave an event out by."""

    filtered_event: bool | None = None


class Identity(msgspec.Struct):
    """What names an event."""

    id: str


FACTS = msgspec.json.Decoder(Facts)
IDENTITY = msgspec.json.Decoder(Identity)


class Series:
    """The events of one type, oldest first."""

    def __init__(self) -> None:
        self.created = array("q")
        self.sequence = array("q")
        self.payloads: list[bytes] = []

    def add(self, rows: list[tuple[int, int, bytes]]) -> None:
        """Put events ``(created, sequence, payload)`` in their places."""
        rows.sort()
        if not self.created or rows[0][0] >= self.created[-1]:
            self._extend(rows)
        elif len(rows) <= FEW:
            for created, sequence, payload in rows:
                # A sequence number only grows, so the newcomer comes last within its millisecond.
                at = bisect_right(self.created, created)
                self.created.insert(at, created)
                self.sequence.insert(at, sequence)
                self.payloads.insert(at, payload)
        else:
            merged = sorted([*zip(self.created, self.sequence, self.payloads, strict=True), *rows])
            self.created, self.sequence, self.payloads = array("q"), array("q"), []
            self._extend(merged)

    def remove(self, ids: set[str]) -> int:
        """Remove events by id; returns how many."""
        kept = [
            row
            for row in zip(self.created, self.sequence, self.payloads, strict=True)
            if IDENTITY.decode(row[2]).id not in ids
        ]
        removed = len(self.payloads) - len(kept)
        if removed:
            self.created, self.sequence, self.payloads = array("q"), array("q"), []
            self._extend(kept)
        return removed

    def _extend(self, rows: list[tuple[int, int, bytes]]) -> None:
        self.created.extend(row[0] for row in rows)
        self.sequence.extend(row[1] for row in rows)
        self.payloads.extend(row[2] for row in rows)

    def span(self, start: int, end: int, before: Position | None) -> tuple[int, int]:
        """The indexes of the events with ``start <= created <= end`` that come before a place."""
        low = bisect_left(self.created, start)
        high = bisect_right(self.created, end)
        if before is not None:
            first = bisect_left(self.created, before.created)
            last = bisect_right(self.created, before.created)
            high = min(high, bisect_left(self.sequence, before.sequence, first, last))
        return low, max(low, high)

    def position(self, index: int) -> Position:
        """The place of the event at an index."""
        return Position(self.created[index], self.sequence[index])

    def newest_first(self, low: int, high: int) -> Iterator[tuple[int, int, bytes]]:
        """The events of a span, newest first, with their places negated for merging."""
        for index in range(high - 1, low - 1, -1):
            yield -self.created[index], -self.sequence[index], self.payloads[index]


class Account:
    """A HubSpot portal: its events, those still on their way, and what happened per campaign."""

    def __init__(self, portal_id: int, clock: Clock) -> None:
        self.portal_id = portal_id
        self.clock = clock
        self.campaigns: dict[int, Campaign] = {}
        self.contacts: dict[str, dict[str, str]] = {}
        self.series: dict[str, Series] = {}
        self.campaign_counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.campaign_activity: dict[int, int] = {}
        self._on_their_way: list[tuple[float, int, Arrival]] = []
        self._arrived = 0

    def add(self, arrivals: Iterable[Arrival], *, visible_at: float | None = None) -> int:
        """Take events in, or hold them back until a moment (Unix seconds, by HubSpot's clock).

        Returns how many there are.
        """
        if visible_at is None or visible_at <= self.clock.now():
            return self._take_in(arrivals)
        count = 0
        for arrival in arrivals:
            self._arrived += 1
            heapq.heappush(self._on_their_way, (visible_at, self._arrived, arrival))
            count += 1
        return count

    def _take_in(self, arrivals: Iterable[Arrival]) -> int:
        rows: defaultdict[str, list[tuple[int, int, bytes]]] = defaultdict(list)
        count = 0
        for created, kind, payload, campaign_id in arrivals:
            self._arrived += 1
            count += 1
            rows[kind].append((created, self._arrived, payload))
            if campaign_id:
                self.campaign_counts[campaign_id][kind] += 1
                if created > self.campaign_activity.get(campaign_id, 0):
                    self.campaign_activity[campaign_id] = created
        for kind, those in rows.items():
            self.series.setdefault(kind, Series()).add(those)
        return count

    def let_arrive(self) -> None:
        """Take in what has become visible by now."""
        now = self.clock.now()
        arrived = []
        while self._on_their_way and self._on_their_way[0][0] <= now:
            arrived.append(heapq.heappop(self._on_their_way)[2])
        if arrived:
            self._take_in(arrived)

    @property
    def on_their_way(self) -> int:
        """How many events are not visible yet."""
        return len(self._on_their_way)

    def counts(self) -> dict[str, int]:
        """How many events of each type are visible."""
        self.let_arrive()
        return {kind: len(series.payloads) for kind, series in sorted(self.series.items())}

    def page(
        self,
        kinds: Sequence[str] | None,
        span: tuple[int, int],
        before: Position | None,
        limit: int,
        wanted: Callable[[bool], bool] | None,
    ) -> Page:
        """One page of events, newest first, of some types or of all."""
        self.let_arrive()
        chosen = [
            (series, *series.span(*span, before))
            for kind, series in self.series.items()
            if kinds is None or kind in kinds
        ]
        if len(chosen) == 1 and wanted is None:
            series, low, high = chosen[0]
            start = max(low, high - limit)
            last = series.position(start) if start < high else None
            return Page(series.payloads[start:high][::-1], last, start > low)
        merged = heapq.merge(*(series.newest_first(low, high) for series, low, high in chosen))
        payloads: list[bytes] = []
        last = None
        for created, sequence, payload in merged:
            if wanted is not None and not wanted(bool(FACTS.decode(payload).filtered_event)):
                continue
            if len(payloads) == limit:
                return Page(payloads, last, has_more=True)
            payloads.append(payload)
            last = Position(-created, -sequence)
        return Page(payloads, last, has_more=False)

    def remove(self, ids: set[str]) -> int:
        """Let visible events disappear; returns how many."""
        self.let_arrive()
        return sum(series.remove(ids) for series in self.series.values())

    def everything(self) -> Iterator[bytes]:
        """Every visible event, type by type, oldest first."""
        self.let_arrive()
        for series in self.series.values():
            yield from series.payloads
