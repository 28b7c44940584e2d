"""What a plan takes note of, in figures."""

from __future__ import annotations

import pytest

from extracting.plans import (
    finish,
    page,
    part,
    plan_of,
    receive,
    take,
)
from tap_hubspot_email_events.reading.part import PartStatus
from tap_hubspot_email_events.reading.plan import PagingError


class TestPages:
    def test_each_is_counted(self) -> None:
        plan = plan_of()
        head = take(plan)
        receive(plan, head, page(10_000), "a")
        assert not head.in_flight
        assert (head.pages, head.events, head.offset) == (1, 10, "a")
        assert (plan.requests, plan.events) == (1, 10)
        finish(plan, head, page(9900, 3))
        assert (head.pages, head.events, head.status) == (2, 13, PartStatus.DONE)
        assert (plan.requests, plan.events) == (2, 13)

    def test_pages_follow_one_another_also_within_an_instant(self) -> None:
        of = part(1, 100)
        of.note_order([90, 80])
        of.note_order([80, 80])
        assert (of.newest_first, of.oldest, of.at_one_instant) == (True, 80, True)
        of.note_order([])
        assert (of.newest_first, of.oldest, of.at_one_instant) == (True, 80, True)
        of.note_order([85])
        assert (of.newest_first, of.oldest) == (False, 80)
        of.note_order([70, 60])
        assert (of.newest_first, of.oldest, of.at_one_instant) == (False, 60, False)

    def test_an_offset_followed_before_leads_nowhere(self) -> None:
        plan = plan_of()
        head = take(plan)
        receive(plan, head, page(10_000, 1), "a")
        receive(plan, head, page(9900, 1), "b")
        with pytest.raises(PagingError):
            receive(plan, head, page(9800, 1), "a")

    def test_a_hundred_pages_in_a_row_may_be_empty(self) -> None:
        plan = plan_of()
        head = take(plan)
        for number in range(100):
            receive(plan, head, [], str(number))
        receive(plan, head, [5000], "x")
        for number in range(100):
            receive(plan, head, [], f"y{number}")
        with pytest.raises(PagingError):
            receive(plan, head, [], "z")


@pytest.mark.parametrize("failed", [1, 3])
def test_what_follows_an_unfinished_part_is_abandoned_too(failed: int) -> None:
    parts = [part(1 + 100 * n, 100 + 100 * n) for n in range(4)]
    plan = plan_of(400, *parts)
    for number in (0, 2, 3):
        parts[number].status = PartStatus.DONE
    plan.abandon(parts[failed])
    assert plan.parts == parts[:1]
    plan.abandon(parts[0])
    assert plan.parts == []
    plan.abandon(parts[0])
    assert plan.parts == []
