"""From a simulation that fails to the shortest one that still does. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulation.plan import Step


def shrink(
    steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool], attempts: int
) -> list[Step]:
    """Take away faults, half of them at a time and then fewer, as long as it still fails.

    The last step is the one that failed, so nothing follows it.
    """
    kept = list(steps)
    size = max(1, len(_places(kept)) // 2)
    while attempts > 0:
        places = _places(kept)
        taken = False
        for first in range(0, len(places), size):
            if attempts <= 0:
                break
            attempts -= 1
            fewer = _without(kept, places[first : first + size])
            if fails(fewer):
                kept, taken = fewer, True
                break
        if not taken:
            if size == 1:
                break
            size = max(1, size // 2)
    return kept


def _places(steps: Sequence[Step]) -> list[tuple[int, int]]:
    """Where faults are: the step, and the fault within it."""
    return [(i, j) for i, step in enumerate(steps) for j in range(len(step.faults))]


def _without(steps: Sequence[Step], places: Sequence[tuple[int, int]]) -> list[Step]:
    gone = set(places)
    return [
        step._replace(
            faults=tuple(fault for j, fault in enumerate(step.faults) if (i, j) not in gone)
        )
        for i, step in enumerate(steps)
    ]
