"""Whose account a run reads is told by its events, and decided by its credentials."""

from __future__ import annotations

from typing import Any

import pytest

from tap_hubspot_email_events.errors import OtherAccountError, RefusedError
from tap_hubspot_email_events.hubspot.anomalies import Anomalies
from tap_hubspot_email_events.reading.portal import Portal


def made(of_token: int | Exception = 4711) -> tuple[Portal, list[int], Anomalies]:
    asked: list[int] = []

    def ask() -> int:
        asked.append(1)
        if isinstance(of_token, Exception):
            raise of_token
        return of_token

    anomalies = Anomalies()
    return Portal(ask, anomalies), asked, anomalies


@pytest.mark.parametrize("events", [[], [{}], [{"portalId": "4711"}], [{"portalId": None}]])
def test_what_names_no_account_decides_nothing(events: list[dict[str, Any]]) -> None:
    portal, asked, _ = made()
    portal.compare(events, 5)
    assert (portal.id, asked) == (None, [])


def test_the_first_event_names_it_and_nobody_is_asked() -> None:
    portal, asked, _ = made()
    portal.compare([{"portalId": 7}, {"portalId": 8}], None)
    portal.compare([{"portalId": 9}], None)
    portal.compare([{"portalId": 9}], 9)
    assert (portal.id, asked) == (7, [])


def test_where_they_disagree_the_token_decides() -> None:
    portal, asked, _ = made(4711)
    portal.compare([{"portalId": 7}], 4711)
    assert (portal.id, asked) == (4711, [1])
    with pytest.raises(OtherAccountError) as caught:
        portal.compare([{"portalId": 7}], 8)
    assert str(caught.value) == (
        "The credentials are those of HubSpot account 4711, but the state is that of account 8, "
        "whose bookmarks would leave out this one's history; set the credentials of account 8, or "
        "give this account a state of its own, in Meltano with `--state-id-suffix`"
    )


def test_where_hubspot_does_not_say_it_is_a_warning() -> None:
    portal, _, anomalies = made(RefusedError("no such address", 404))
    portal.compare([{"portalId": 7}], 8)
    (warning,) = anomalies.warnings()
    assert warning == (
        "Pages of events of another HubSpot account than the state's: 1 (7 instead of 8), and "
        "HubSpot does not say whose the credentials are; if they are another account's, give it a "
        "state of its own (meltano run --state-id-suffix ...)."
    )


def test_then_the_state_keeps_its_account_so_that_the_next_run_says_it_again() -> None:
    portal, _, _ = made(RefusedError("no such address", 404))
    portal.compare([{"portalId": 7}], 8)
    assert portal.id == 8
