"""Records are HubSpot's events with three changes, each exact."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tap_hubspot_email_events.reading.records import (
    PreviousPage,
    complete,
    created_times,
    without_repeated,
)


def test_created_becomes_a_date_and_what_is_missing_is_filled_in() -> None:
    answers = iter([4711, 4711])
    events: list[dict[str, Any]] = [
        {"id": "a", "created": 1_760_000_000_000},
        {"id": "b", "created": 1, "type": None, "portalId": None},
        {"id": "c", "created": 2, "type": "NEW", "portalId": 62515, "appId": 0, "browser": {}},
    ]
    complete(events, "UNBOUNCE", lambda: next(answers))
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


def test_events_of_the_page_before_are_not_repeated() -> None:
    previous = PreviousPage()
    first = [{"id": "a", "created": 3}, {"id": "b", "created": 2}]
    assert without_repeated(first, created_times(first), previous) == first
    shifted = [{"id": "b", "created": 2}, {"id": "b", "created": 1}]
    assert without_repeated(shifted, created_times(shifted), previous) == [
        {"id": "b", "created": 1}
    ]
    repeated = [{"id": "b", "created": 2}, {"id": "b", "created": 2}]
    assert without_repeated(repeated, created_times(repeated), PreviousPage()) == repeated[:1]


@pytest.mark.parametrize("event", [{}, {"created": None}, {"created": "1"}, {"created": True}])
def test_an_event_without_a_time_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        created_times([event])
