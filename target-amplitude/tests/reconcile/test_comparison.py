"""Each event read is present, another source's, missing or too recent, and counted once."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.reconcile.comparison import Balance, Comparison, KeySet, Verdict
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


def compare(
    read: list[bytes], held: list[ExportedEvent], until: int = NEVER
) -> tuple[Balance, list[Verdict]]:
    comparison = Comparison()
    for body in read:
        comparison.add(body)
    comparison.freeze()
    for event in held:
        comparison.note(event)
    verdicts = [comparison.judge(body, lambda time: time >= until) for body in read]
    return comparison.total, verdicts


def test_an_event_is_found_by_its_insert_id_whatever_else_changed() -> None:
    balance, _ = compare([own(1)], [exported(1, user_id="another", client_event_time=None)])
    assert balance == Balance(hubspot=1, amplitude=1)


def test_an_event_of_another_source_is_found_by_type_user_and_time() -> None:
    held = [exported(1, **{"$insert_id": "foreign"}), exported(2, **{"$insert_id": None})]
    balance, verdicts = compare([own(1), own(2), own(3)], held)
    assert verdicts == [Verdict.PRESENT, Verdict.PRESENT, Verdict.MISSING]
    assert balance == Balance(hubspot=3, amplitude=2, other_source=2, missing=1)


def test_the_time_that_amplitude_corrected_counts_as_well() -> None:
    fields = {
        "$insert_id": "foreign",
        "client_event_time": "2020-01-01 00:00:00",
        "event_time": "2025-10-09 08:53:20.001000",
    }
    balance, _ = compare([own(1)], [exported(1, **fields)])
    assert balance == Balance(hubspot=1, amplitude=1, other_source=1)


def test_copies_are_counted_whoever_brought_them() -> None:
    held = [exported(1), exported(1, user_id="x"), exported(1, **{"$insert_id": "foreign"})]
    balance, _ = compare([own(1)], held)
    assert balance == Balance(hubspot=1, amplitude=1, doubled=2)


def test_what_is_only_in_amplitude_is_told_from_another_account() -> None:
    held = [
        exported(5),
        exported(5, event_properties={"portalId": 9}),
        exported(5, event_type="Page Viewed"),
        exported(5, client_event_time="2020-01-01 00:00:00"),
        exported(5, event_properties=None),
    ]
    balance, _ = compare([own(1), own(9)], held)
    assert balance == Balance(hubspot=2, only_in_amplitude=2, other_portal=1, missing=2)


def test_an_event_that_is_too_recent_is_not_missing() -> None:
    balance, verdicts = compare([own(1), own(5)], [], until=1_760_000_000_005)
    assert verdicts == [Verdict.MISSING, Verdict.TOO_EARLY]
    assert balance == Balance(hubspot=2, missing=1, too_early=1)


def test_an_event_that_was_read_twice_is_one() -> None:
    balance, verdicts = compare([own(1), own(2), own(1), own(2)], [exported(1)])
    assert verdicts == [Verdict.PRESENT, Verdict.MISSING, Verdict.PRESENT, Verdict.PRESENT]
    assert balance == Balance(hubspot=2, amplitude=1, missing=1)


def test_an_event_without_insert_id_is_recognised_by_its_content() -> None:
    balance, _ = compare([own(1, insert_id=None), own(2, insert_id=None)], [exported(1)])
    assert balance == Balance(hubspot=2, amplitude=1, other_source=1, missing=1)


@given(st.sets(st.integers(0, 50)), st.lists(st.integers(0, 50)))
def test_every_event_read_is_counted_somewhere(read: set[int], held: list[int]) -> None:
    balance, _ = compare([own(n) for n in sorted(read)], [exported(n) for n in held])
    present = read & set(held)
    assert balance == Balance(
        hubspot=len(read),
        amplitude=len(present),
        missing=len(read - present),
        doubled=sum(held.count(n) - 1 for n in present),
        only_in_amplitude=sum(n not in read and min(read) <= n <= max(read) for n in held if read),
    )


@given(st.sets(st.binary()), st.lists(st.binary()))
def test_keys_are_counted_as_often_as_they_come(keys: set[bytes], seen: list[bytes]) -> None:
    made = KeySet()
    for key in (*keys, *keys):
        made.add(key)
    made.freeze()
    for key in [*seen, *keys]:
        assert made.note(key) is (key in keys)
    for key in keys:
        assert [made.mark(key), made.mark(key)] == [True, False]
    for key in {*seen, *keys}:
        assert made.count(key) == (seen.count(key) + 1 if key in keys else 0)


def test_a_mark_leaves_a_count_alone_that_has_become_full() -> None:
    made = KeySet()
    made.add(b"a")
    made.freeze()
    for _ in range(200):
        made.note(b"a")
    assert made.mark(b"a")
    assert made.count(b"a") == 127
