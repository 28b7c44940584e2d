"""Each event read is present, another source's, missing or too recent, and counted once."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.reconcile.comparison import Comparison, KeySet, Verdict
from target_amplitude.reconcile.exported import ExportedEvent

NEVER = 2**60


def own(number: int, **fields: Any) -> bytes:
    event = {
        "event_type": "open",
        "insert_id": f"id-{number}",
        "user_id": f"user-{number}",
        "time": 1_760_000_000_000 + number,
        "event_properties": {"portalId": 4711},
    }
    return msgspec.json.encode(event | fields)


def exported(number: int, **fields: Any) -> ExportedEvent:
    shown = {
        "event_type": "open",
        "$insert_id": f"id-{number}",
        "user_id": f"user-{number}",
        "client_event_time": f"2025-10-09 08:53:20.{number:03d}000",
        "event_properties": {"portalId": 4711},
    }
    return msgspec.json.decode(msgspec.json.encode(shown | fields), type=ExportedEvent)


def compare(read: list[bytes], held: list[ExportedEvent], until: int = NEVER) -> Comparison:
    comparison = Comparison()
    for body in read:
        comparison.add(body)
    comparison.freeze()
    for event in held:
        comparison.note(event)
    comparison.verdicts = [comparison.judge(body, lambda time: time >= until) for body in read]  # type: ignore[attr-defined]
    return comparison


def verdicts(comparison: Comparison) -> list[Verdict]:
    return list(comparison.verdicts)  # type: ignore[attr-defined]


def test_an_event_is_found_by_its_insert_id_whatever_else_changed() -> None:
    comparison = compare([own(1)], [exported(1, user_id="another", client_event_time=None)])
    assert verdicts(comparison) == [Verdict.PRESENT]


def test_an_event_of_another_source_is_found_by_type_user_and_time() -> None:
    held = [exported(1, **{"$insert_id": "foreign"}), exported(2, **{"$insert_id": None})]
    comparison = compare([own(1), own(2), own(3)], held)
    assert verdicts(comparison) == [Verdict.PRESENT, Verdict.PRESENT, Verdict.MISSING]
    assert comparison.balances["open"].other_source == 2


def test_the_time_that_amplitude_corrected_counts_as_well() -> None:
    fields = {
        "$insert_id": "foreign",
        "client_event_time": "2020-01-01 00:00:00",
        "event_time": "2025-10-09 08:53:20.001000",
    }
    assert verdicts(compare([own(1)], [exported(1, **fields)])) == [Verdict.PRESENT]


def test_copies_are_counted_whoever_brought_them() -> None:
    held = [exported(1), exported(1, user_id="x"), exported(1, **{"$insert_id": "foreign"})]
    balance = compare([own(1)], held).balances["open"]
    assert (balance.hubspot, balance.amplitude, balance.doubled) == (1, 1, 2)


def test_what_is_only_in_amplitude_is_told_from_another_account() -> None:
    held = [
        exported(5),
        exported(5, event_properties={"portalId": 9}),
        exported(5, event_type="Page Viewed"),
        exported(5, client_event_time="2020-01-01 00:00:00"),
        exported(5, event_properties=None),
    ]
    balance = compare([own(1), own(9)], held).balances["open"]
    assert (balance.only_in_amplitude, balance.other_portal) == (2, 1)
    assert balance.missing == 2


def test_an_event_that_is_too_recent_is_not_missing() -> None:
    comparison = compare([own(1), own(5)], [], until=1_760_000_000_005)
    assert verdicts(comparison) == [Verdict.MISSING, Verdict.TOO_EARLY]


def test_an_event_that_was_read_twice_is_one() -> None:
    comparison = compare([own(1), own(1)], [exported(1)])
    assert verdicts(comparison) == [Verdict.PRESENT, Verdict.PRESENT]
    assert comparison.balances["open"].hubspot == 1


def test_an_event_without_insert_id_is_recognised_by_its_content() -> None:
    comparison = compare([own(1, insert_id=None), own(2, insert_id=None)], [exported(1)])
    assert verdicts(comparison) == [Verdict.PRESENT, Verdict.MISSING]


@given(st.sets(st.integers(0, 50)), st.lists(st.integers(0, 50)))
def test_every_event_read_is_counted_somewhere(read: set[int], held: list[int]) -> None:
    comparison = compare([own(n) for n in sorted(read)], [exported(n) for n in held])
    balance = comparison.balances.get("open")
    if balance is None:
        assert not read
        return
    assert balance.hubspot == len(read) == balance.amplitude + balance.missing
    assert balance.missing == len(read - set(held))
    assert balance.doubled == sum(max(0, held.count(n) - 1) for n in read)
    inside = [n for n in held if n not in read and min(read) <= n <= max(read)]
    assert balance.only_in_amplitude == len(inside)


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
