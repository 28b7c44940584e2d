"""From a simulation that fails to the shortest one that still does. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from simulation.plan import Step


def faults_only_of(runs: Collection[int], steps: Sequence[Step]) -> list[Step]:
    """The steps, of which only some runs, given by their numbers, keep their faults."""
    return [step if step.number in runs else step._replace(faults=()) for step in steps]


def shrink(
    steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool], attempts: int
) -> list[Step]:
    """Take the faults of runs away, half of them at a time and then fewer, as long as it fails.

    The last step is the one that failed, so nothing follows it.
    """
    kept = [step.number for step in steps if step.faults]
    size = max(1, len(kept) // 2)
    first = 0
    while kept and size and attempts > 0:
        fewer = kept[:first] + kept[first + size :]
        attempts -= 1
        if fails(faults_only_of(fewer, steps)):
            kept, first = fewer, 0
        elif first + size < len(kept):
            first += size
        else:
            size, first = size // 2, 0
    return faults_only_of(kept, steps)
