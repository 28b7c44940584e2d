"""HubSpot's clock bounds what this machine's clock says."""

from __future__ import annotations

import pytest

from tap_hubspot_email_events.hubspot.clock import HubSpotClock

DATE = "Thu, 09 Oct 2025 08:53:20 GMT"
AT = 1_760_000_000_000
MINUTE = 60_000


def observed(*, sent: int, received: int, date: str | None = DATE) -> HubSpotClock:
    clock = HubSpotClock()
    clock.observe({} if date is None else {"Date": date}, sent=sent, received=received)
    return clock


def test_a_machine_that_is_ahead_goes_by_hubspots_clock() -> None:
    clock = observed(sent=AT + 200 * MINUTE, received=AT + 200 * MINUTE + 300)
    assert clock.ahead == 200 * MINUTE - 999
    assert clock.bound(AT + 200 * MINUTE) == AT
    assert clock.bound(AT - 5) == AT - 5


@pytest.mark.parametrize("sent", [AT - 300, AT, AT + 999])
def test_within_the_second_that_the_header_cuts_off_both_are_right(sent: int) -> None:
    clock = observed(sent=sent, received=max(sent, AT) + 10)
    assert clock.ahead == 0
    assert clock.bound(sent) == sent


def test_the_earliest_answer_counts() -> None:
    clock = observed(sent=AT + 9 * MINUTE, received=AT + 9 * MINUTE)
    clock.observe({"Date": "Thu, 09 Oct 2025 08:53:25 GMT"}, sent=AT, received=AT)
    assert clock.earliest == AT
