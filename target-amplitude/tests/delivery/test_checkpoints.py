"""A state is written once everything before it is acknowledged, and never earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.delivery.checkpoints import Checkpoints

if TYPE_CHECKING:
    import random


@given(st.lists(st.integers(0, 4), max_size=60), st.randoms(use_true_random=False))
def test_the_newest_true_state_is_taken_as_soon_as_it_is_true(
    steps: list[int], chance: random.Random
) -> None:
    checkpoints = Checkpoints()
    opened: list[int] = []
    acknowledged: set[int] = set()
    covers: list[int] = []
    last = -1
    for step in steps:
        if step <= 1:
            checkpoints.open()
            opened.append(checkpoints.current)
        elif step == 2:
            checkpoints.close(b"%d" % len(covers))
            covers.append(len(opened))
        else:
            waiting = [index for index in range(len(opened)) if index not in acknowledged]
            if waiting:
                index = chance.choice(waiting)
                checkpoints.acknowledge(opened[index])
                acknowledged.add(index)
        true = [n for n, count in enumerate(covers) if set(range(count)) <= acknowledged]
        taken = checkpoints.take()
        assert taken == (b"%d" % max(true) if true and max(true) > last else None)
        last = max([last, *true])
        assert checkpoints.is_waiting == (last < len(covers) - 1)
