"""Millions of keys are told apart and counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.reconcile.comparison import KeySet


@given(st.sets(st.binary()), st.lists(st.binary()))
def test_keys_are_counted_as_often_as_they_come(keys: set[bytes], seen: list[bytes]) -> None:
    made = KeySet()
    for key in keys:
        made.add(key)
        made.add(key)
    made.freeze()
    for key in [*seen, *keys]:
        assert made.note(key) is (key in keys)
    for key in {*seen, *keys}:
        expected = seen.count(key) + 1 if key in keys else 0
        assert made.count(key) == min(expected, 127)


def test_a_mark_is_set_once_and_leaves_the_count_alone() -> None:
    made = KeySet()
    made.add(b"a")
    made.freeze()
    for _ in range(200):
        made.note(b"a")
    assert made.mark(b"a")
    assert not made.mark(b"a")
    assert made.count(b"a") == 127
