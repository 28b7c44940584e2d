"""A state is written once all before it is settled, and never earlier."""

from __future__ import annotations

from target_amplitude.delivery.checkpoints import Checkpoints


def test_a_state_waits_for_the_records_before_it_only() -> None:
    checkpoints = Checkpoints()
    assert (checkpoints.current, checkpoints.is_waiting, checkpoints.unsettled) == (0, False, 0)
    checkpoints.open(3)
    checkpoints.close(b"a")
    assert (checkpoints.current, checkpoints.is_waiting, checkpoints.unsettled) == (1, True, 3)
    checkpoints.open()
    checkpoints.settle(0, 2)
    checkpoints.settle(1)
    assert checkpoints.take() is None
    checkpoints.settle(0)
    assert checkpoints.take() == b"a"
    assert (checkpoints.current, checkpoints.is_waiting, checkpoints.unsettled) == (1, False, 0)
    assert checkpoints.take() is None


def test_records_after_the_last_state_are_covered_by_none() -> None:
    checkpoints = Checkpoints()
    checkpoints.open()
    checkpoints.settle(0)
    assert checkpoints.take() is None
    checkpoints.close(b"a")
    assert checkpoints.take() == b"a"


def test_of_several_true_states_the_newest_is_taken() -> None:
    checkpoints = Checkpoints()
    for state in (b"a", b"b", b"c"):
        checkpoints.open(2)
        checkpoints.close(state)
    checkpoints.settle(1, 2)
    checkpoints.settle(0, 2)
    assert checkpoints.take() == b"b"
    checkpoints.settle(2, 1)
    assert checkpoints.take() is None
    checkpoints.settle(2, 1)
    assert checkpoints.take() == b"c"


def test_a_state_without_records_of_its_own_takes_the_place_of_the_one_before() -> None:
    checkpoints = Checkpoints()
    checkpoints.open()
    checkpoints.close(b"a")
    checkpoints.close(b"b")
    assert checkpoints.current == 1
    checkpoints.settle(0)
    assert checkpoints.take() == b"b"
    checkpoints.close(b"c")
    assert checkpoints.take() == b"c"
    assert checkpoints.current == 2
