from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import event
from sandbox_tests.services import EVENTS

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from sandbox_tests.services import Services

START = 1_760_000_000_000


@pytest.fixture
def eleven(sandbox: Sandbox) -> list[dict[str, Any]]:
    events = [event("SENT", START + n) for n in range(11)]
    sandbox.add_events(events)
    return events


def test_an_event_that_arrives_while_paging_moves_nothing(
    services: Services, sandbox: Sandbox, eleven: list[dict[str, Any]]
) -> None:
    query: dict[str, Any] = {"eventType": "SENT", "limit": 5}
    first = services.get(EVENTS, **query).json()
    sandbox.add_events([event("SENT", START + 99)])

    second = services.get(EVENTS, **query, offset=first["offset"]).json()

    assert first["events"] + second["events"] == eleven[:0:-1]


@pytest.mark.usefixtures("eleven")
def test_the_last_page_has_an_offset_too(services: Services) -> None:
    page = services.get(EVENTS, limit=11).json()

    assert page["hasMore"] is False
    assert page["offset"]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 1001},
        {"limit": 0},
        {"limit": "ten"},
        {"eventType": "sent"},
        {"eventType": "SENT,OPEN"},
        {"startTimestamp": "2025-01-01"},
        {"endTimestamp": "1.5"},
        {"offset": "!"},
        {"offset": "CgoY__________9_"},
        {"excludeFilteredEvents": "maybe"},
    ],
)
def test_what_hubspot_cannot_read_is_refused(services: Services, params: dict[str, Any]) -> None:
    answer = services.get(EVENTS, **params)

    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"


@pytest.mark.usefixtures("eleven")
def test_the_epoch_is_an_internal_error_and_an_unknown_parameter_ignored(
    services: Services,
) -> None:
    assert services.get(EVENTS, startTimestamp=0).status_code == 500
    assert len(services.get(EVENTS, count=11).json()["events"]) == 10
