"""Records are HubSpot's events with three changes, each exact."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.reading.records import (
    LAST_INSTANT,
    describe,
    make_records,
    split_range,
    split_valid,
    without_repeated,
)
from tap_hubspot_email_events.timestamps import EARLIEST


def test_created_becomes_a_date_and_what_is_missing_is_filled_in() -> None:
    answers = iter([4711, 4711])
    events: list[dict[str, Any]] = [
        {"id": "a", "created": 1_760_000_000_000},
        {"id": "b", "created": 1, "type": None, "portalId": None},
        {"id": "c", "created": 2, "type": "NEW", "portalId": 62515, "appId": 0, "browser": {}},
    ]
    make_records(events, "UNBOUNCE", lambda: next(answers))
    assert events == [
        {"id": "a", "created": "2025-10-09T08:53:20.000Z", "type": "UNBOUNCE", "portalId": 4711},
        {"id": "b", "created": "1970-01-01T00:00:00.001Z", "type": "UNBOUNCE", "portalId": 4711},
        {
            "id": "c",
            "created": "1970-01-01T00:00:00.002Z",
            "type": "NEW",
            "portalId": 62515,
            "appId": 0,
            "browser": {},
        },
    ]
    assert next(answers, None) is None


def test_events_that_the_page_before_had_are_not_repeated() -> None:
    keys: Any = frozenset()
    for names, left in (("abb", "ab"), ("bcb", "c"), ("ab", "a"), ("d", "d")):
        kept, keys = without_repeated([{"id": name, "created": 1} for name in names], keys)
        assert "".join(event["id"] for event in kept) == left


def test_an_event_of_another_time_with_the_same_id_is_another() -> None:
    page = [{"id": "a", "created": 2}, {"id": "a", "created": 1}]
    assert without_repeated(page, frozenset())[0] == page


FINE: dict[str, Any] = {"id": "a", "created": 1_760_000_000_000, "recipient": "jane@example.com"}


@pytest.mark.parametrize(
    ("odd", "id_", "created"),
    [
        ({"id": 7}, "7", 1_760_000_000_000),
        ({"created": 1_760_000_000_000.0}, "a", 1_760_000_000_000),
        ({"created": " 1760000000000"}, "a", 1_760_000_000_000),
        ({"created": "2025-10-09T08:53:20Z"}, "a", 1_760_000_000_000),
        ({"created": 1_760_000_000_000.5}, "a", 1_760_000_000_000),
        ({"created": "1760000000000.999"}, "a", 1_760_000_000_000),
        ({"created": "2025-10-09T08:53:20.000999Z"}, "a", 1_760_000_000_000),
    ],
)
def test_an_id_and_a_time_of_another_form_are_put_right(
    odd: dict[str, Any], id_: str, created: int
) -> None:
    good, left_out = split_valid([FINE | odd, dict(FINE)])
    assert [(event["id"], event["created"]) for event in good] == [
        (id_, created),
        (FINE["id"], FINE["created"]),
    ]
    assert left_out == []


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ({"id": None}, "created 1760000000000"),
        ({"id": ""}, "created 1760000000000"),
        ({"id": True}, "created 1760000000000"),
        ({"created": None}, "id a"),
        ({"created": True}, "id a"),
        ({"created": float("inf")}, "id a"),
        ({"created": "soon"}, "id a"),
        ({"created": {}}, "id a"),
        ({"id": None, "created": None}, "neither id nor created"),
    ],
)
def test_an_event_that_cannot_be_placed_is_left_out_and_named_by_what_it_has(
    odd: dict[str, Any], named: str
) -> None:
    good, left_out = split_valid([dict(FINE), FINE | odd])
    assert good == [FINE]
    assert named in describe(left_out[0])
    assert "jane" not in describe(left_out[0])


@pytest.mark.parametrize("other", [{}, {"id": 7}])
@pytest.mark.parametrize(
    ("instant", "is_placed"),
    [
        (EARLIEST - 1, False),
        (EARLIEST, True),
        (LAST_INSTANT, True),
        (LAST_INSTANT + 1, False),
    ],
)
def test_an_event_is_of_the_years_2000_to_9999(
    instant: int, other: dict[str, Any], *, is_placed: bool
) -> None:
    event = FINE | {"created": instant}
    good, left_out = split_valid([event, FINE | other])
    assert (event in good) is is_placed
    assert (event in left_out) is not is_placed
    assert len(good) + len(left_out) == 2


def test_what_lies_after_the_latest_instant_that_can_be_is_left_out() -> None:
    assert split_valid([dict(FINE)], latest=FINE["created"]) == ([FINE], [])
    assert split_valid([dict(FINE)], latest=FINE["created"] - 1) == ([], [FINE])


GOOD = st.fixed_dictionaries({"id": st.text(min_size=1), "created": st.integers(EARLIEST, 9**14)})


@given(st.lists(GOOD), st.integers(EARLIEST, 9**14), st.integers(EARLIEST, 9**14))
def test_events_of_a_range_are_parted_from_others_in_their_order(
    events: list[dict[str, Any]], start: int, end: int
) -> None:
    inside, outside = split_range(events, start, end)
    assert inside == [event for event in events if start <= event["created"] <= end]
    assert outside == [event for event in events if event not in inside]


@pytest.mark.parametrize("odd", [None, 5, "text", []])
def test_what_is_no_event_at_all_is_left_out(odd: Any) -> None:
    assert split_valid([dict(FINE), odd]) == ([FINE], [odd])
    assert describe(odd) == "no object"


@given(st.lists(GOOD))
def test_good_events_are_passed_on_untouched(events: list[dict[str, Any]]) -> None:
    before = [dict(event) for event in events]
    assert split_valid(events) == (before, [])


def test_a_type_and_a_portal_of_another_kind_are_filled_in() -> None:
    events: list[dict[str, Any]] = [FINE | {"type": 5, "portalId": "4711"}]
    make_records(events, "OPEN", lambda: 4711)
    assert (events[0]["type"], events[0]["portalId"]) == ("OPEN", 4711)
