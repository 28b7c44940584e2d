"""What happens in a simulated time: a run an hour, and faults at random. Pure."""

from __future__ import annotations

import random
from typing import NamedTuple

HOURS_A_DAY = 24
# Of a hundred runs, so many are left out with some after them, meet one fault, and meet two.
LEFT_OUT, ONE, TWO = 4, 40, 12


class Kind(NamedTuple):
    """A kind of fault; of those that share a `place` a run meets one only.

    After one that is `forgiven` the run may end badly, or well with less than there is.
    """

    name: str
    weight: int
    place: str
    least: float
    most: float
    forgiven: bool = False


KINDS = (
    # How the processes fare; the amount is how many requests come before a kill.
    Kind("tap killed", 8, "processes", 0, 40, forgiven=True),
    Kind("target killed", 8, "processes", 0, 40, forgiven=True),
    Kind("both killed", 8, "processes", 0, 40, forgiven=True),
    Kind("target terminated", 4, "processes", 0, 40, forgiven=True),
    Kind("two at once", 6, "processes", 0, 2),
    Kind("through Meltano", 2, "processes", 0, 1),
    # This machine's clock, in seconds ahead.
    Kind("clock set back", 4, "clock", -90_000, -60, forgiven=True),
    Kind("clock set forth", 4, "clock", 60, 90_000, forgiven=True),
    # Answers; the amount is how many.
    Kind("HubSpot in trouble", 10, "hubspot", 1, 5, forgiven=True),
    Kind("HubSpot's day used up", 3, "hubspot", 2, 15, forgiven=True),
    Kind("token rotated", 3, "hubspot", 3, 30, forgiven=True),
    Kind("token expired", 2, "hubspot", 0, 1, forgiven=True),
    Kind("campaigns deleted", 3, "hubspot", 0, 1),
    Kind("contacts refused", 3, "hubspot", 0, 1),
    Kind("Amplitude in trouble", 10, "amplitude", 1, 6, forgiven=True),
    Kind("a user's quota used up", 3, "amplitude", 0, 400, forgiven=True),
    Kind("key rotated", 3, "amplitude", 0, 1, forgiven=True),
    # What HubSpot holds; the amount is how many.
    Kind("events deleted", 4, "events", 1, 20),
    Kind("events added late", 6, "events", 1, 40),
    Kind("events that Amplitude refuses", 6, "events", 1, 5),
    # Files and the state.
    Kind("disk full for rejects", 3, "files", 0, 1, forgiven=True),
    Kind("disk full for the job log", 3, "files", 0, 1, forgiven=True),
    Kind("state of a day ago", 3, "state", 12, 30),
    Kind("state of the first format", 2, "state", 0, 1),
    Kind("settings changed", 8, "settings", 0, 1_000_000),
)


class Fault(NamedTuple):
    """A fault that meets one run."""

    kind: str
    amount: float


class Step(NamedTuple):
    """One run, so many hours after the begin, and what it meets."""

    number: int
    hour: float
    faults: tuple[Fault, ...]


def plan(seed: int, days: float) -> list[Step]:
    """A run an hour, some minutes early or late, always the same for a seed.

    The last day is without faults, so that everything must have arrived at its end.
    """
    order = random.Random(f"{seed}/{days}")
    steps = []
    runs = round(days * HOURS_A_DAY)
    calm_from = runs - max(4, min(HOURS_A_DAY, runs // 6))
    number = 0
    while number < runs:
        if number < calm_from and order.randrange(100) < LEFT_OUT:
            number = min(calm_from, number + order.randrange(1, 8))
            continue
        luck = order.randrange(100)
        count = 2 if luck < TWO else 1 if luck < TWO + ONE else 0
        drawn = order.choices(KINDS, [kind.weight for kind in KINDS], k=count)
        by_place = {kind.place: kind for kind in drawn}
        faults = tuple(
            Fault(kind.name, round(order.uniform(kind.least, kind.most), 2))
            for kind in by_place.values()
        )
        hour = number + 1 + order.uniform(-0.05, 0.05)
        steps.append(Step(number, hour, faults if number < calm_from else ()))
        number += 1
    return steps
