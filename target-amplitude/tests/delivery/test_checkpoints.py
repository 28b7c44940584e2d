from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.delivery.checkpoints import Checkpoints

if TYPE_CHECKING:
    import random


@given(st.lists(st.integers(0, 4), max_size=60), st.randoms(use_true_random=False))
def test_a_state_is_true_when_it_is_taken(steps: list[int], chance: random.Random) -> None:
    checkpoints = Checkpoints()
    opened: list[int] = []
    settled: set[int] = set()
    covers: dict[bytes, int] = {}
    for step in steps:
        if step <= 1:
            checkpoints.open()
            opened.append(checkpoints.current)
        elif step == 2:
            state = b"%d" % len(covers)
            covers[state] = len(opened)
            checkpoints.close(state)
        else:
            waiting = [index for index in range(len(opened)) if index not in settled]
            if waiting:
                index = chance.choice(waiting)
                checkpoints.settle(opened[index])
                settled.add(index)
        taken = checkpoints.take()
        if taken is not None:
            assert set(range(covers[taken])) <= settled
        assert checkpoints.unsettled == len(opened) - len(settled)
    for index in set(range(len(opened))) - settled:
        checkpoints.settle(opened[index])
    checkpoints.take()
    assert not checkpoints.is_waiting
