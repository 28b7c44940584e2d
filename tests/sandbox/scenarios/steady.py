"""A steady stream of events, some of which become visible late."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from sandbox.hubspot.store import Arrival

if TYPE_CHECKING:
    from collections.abc import Iterator

# How often each type comes, of a hundred.
SHARES = {"SENT": 25, "PROCESSED": 25, "DELIVERED": 24, "OPEN": 18, "CLICK": 5, "BOUNCE": 3}
PEOPLE = 400


class Steady(NamedTuple):
    """What such a stream is like; `begin` in seconds since the epoch."""

    seed: int
    begin: float
    hours: float
    per_hour: int
    late_share: float = 0.0
    late_minutes: float = 115.0


class Moment(NamedTuple):
    """One event: `created` in ms, its id and type, and when it is visible, in seconds."""

    created: int
    id: str
    type: str
    visible_at: float


def moments(steady: Steady) -> Iterator[Moment]:
    """The events, the same for the same figures."""
    order = random.Random(repr(steady))
    kinds = order.choices(
        list(SHARES), list(SHARES.values()), k=int(steady.hours * steady.per_hour)
    )
    for number, kind in enumerate(kinds):
        at = steady.begin + order.uniform(0, steady.hours * 3600)
        is_late = order.random() < steady.late_share
        late = order.uniform(0, steady.late_minutes * 60) if is_late else 0.0
        yield Moment(int(at * 1000), f"{steady.seed}-{number}", kind, at + late)


def arrivals(steady: Steady) -> Iterator[tuple[float, Arrival]]:
    """When each event becomes visible, and the event."""
    for each in moments(steady):
        payload = (
            f'{{"id":"{each.id}","created":{each.created},"type":"{each.type}","portalId":4711,'
            f'"recipient":"reader{each.created % PEOPLE}@example.com"}}'
        )
        yield each.visible_at, Arrival(each.created, each.type, payload.encode(), 0)
