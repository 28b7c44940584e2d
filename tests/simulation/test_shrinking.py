"""The plan is the same for a seed, and a failing one shrinks to what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from simulation.plan import KINDS, plan
from simulation.shrinking import faults_only_of, shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulation.plan import Step


@given(st.integers(1, 10_000), st.floats(0.5, 3))
def test_a_plan_is_the_same_for_a_seed_and_ends_calmly(seed: int, days: float) -> None:
    steps = plan(seed, days)
    assert steps == plan(seed, days)
    assert [step.hour for step in steps] == sorted(step.hour for step in steps)
    assert not any(step.faults for step in steps[-3:])


def test_many_plans_have_every_kind_of_fault() -> None:
    met = {fault.kind for seed in range(20) for step in plan(seed, 14) for fault in step.faults}
    assert met == {kind.name for kind in KINDS}


@given(st.integers(1, 10_000), st.data())
def test_what_is_needed_for_a_failure_is_what_is_left(seed: int, data: st.DataObject) -> None:
    steps = plan(seed, 3)
    faulty = [step.number for step in steps if step.faults]
    needed = set(data.draw(st.lists(st.sampled_from(faulty), max_size=2, unique=True)))

    def fails(fewer: Sequence[Step]) -> bool:
        return needed <= {step.number for step in fewer if step.faults}

    assert shrink(steps, fails, attempts=500) == faults_only_of(needed, steps)
