"""How a range becomes windows, and which page is requested next, in figures."""

from __future__ import annotations

import math

import pytest

from extracting.plans import (
    HEAD,
    PAGE,
    WINDOW,
    finish,
    page,
    part,
    plan_of,
    receive,
    rows,
    take,
    with_credit,
)
from tap_hubspot_email_events.reading.part import PartStatus
from tap_hubspot_email_events.reading.plan import Plan


class TestCredit:
    def test_three_requests_are_free(self) -> None:
        assert plan_of().credit == 3

    def test_one_is_set_aside_for_each_part_being_read(self) -> None:
        plan = plan_of(100, part(1, 9), part(10, 50), part(51, 100, oldest=60))
        assert plan.credit == 2
        take(plan)
        assert plan.credit == 1

    def test_a_full_page_earns_half_a_request_beside_its_own(self) -> None:
        plan = plan_of()
        head = take(plan)
        receive(plan, head, page(9990))
        assert plan.credit == 3 + 1.5 - 1 - 1
        finish(plan, head, page(9890, 2))
        assert plan.credit == pytest.approx(3 + 1.5 + 0.3 - 2)


class TestHowMuchIsLeft:
    def test_before_anything_is_finished_nobody_knows(self) -> None:
        assert plan_of().pages_left == math.inf

    def test_of_nothing_nothing_is_left(self) -> None:
        assert Plan(5, 4, page_size=PAGE).pages_left == 0
        assert Plan(5, 4, page_size=PAGE).length_left == 0

    def test_a_range_of_one_millisecond_is_a_range(self) -> None:
        assert rows(Plan(5, 5, page_size=PAGE)) == [(5, 5, HEAD)]

    def test_what_is_not_begun_counts_at_the_density_of_what_is_finished(self) -> None:
        plan = plan_of(2000, part(1, 500), part(501, 1000, oldest=1000), part(1001, 2000))
        finish(plan, plan.parts[2], page(1900, 50))
        # 50 events within 1,000 ms are 0.05 a millisecond.
        assert plan.pages_left == pytest.approx((500 + 500) * 0.05 / PAGE)
        assert plan.length_left == 500 + 499

    def test_what_is_begun_counts_at_its_own_density(self) -> None:
        plan = plan_of(2000, part(1, 1000, oldest=801, events=40), part(1001, 2000))
        finish(plan, plan.parts[1], page(1900, 50))
        # 40 events within 199 ms, and 800 ms to go.
        assert plan.pages_left == pytest.approx(800 * 40 / 199 / PAGE)
        assert plan.length_left == 800

    def test_a_part_that_went_beyond_its_start_has_nothing_left(self) -> None:
        plan = plan_of(2000, part(500, 1000, oldest=400, events=40), part(1001, 2000))
        finish(plan, plan.parts[1], page(1900, 50))
        assert plan.pages_left == 0
        assert plan.length_left == 0

    def test_the_density_is_that_of_the_eight_parts_finished_last(self) -> None:
        plan = plan_of(2000, *(part(1 + 100 * n, 100 + 100 * n) for n in range(10)))
        for number in (9, 8, 7, 6, 5, 4, 3, 2, 1):
            of = plan.parts[number]
            finish(plan, of, page(of.end, 10 if number == 9 else 2))
        assert plan.pages_left == pytest.approx(100 * (8 * 2) / 800 / PAGE)


class TestWhatIsRead:
    def test_only_what_no_part_may_still_show(self) -> None:
        plan = plan_of(400, part(101, 200, oldest=150), part(201, 300), part(301, 400))
        finish(plan, plan.parts[2], [])
        assert plan.is_read(151, 200)
        assert not plan.is_read(150, 200)
        assert not plan.is_read(101, 101)
        assert plan.is_read(1, 100)
        assert not plan.is_read(1, 101)
        assert not plan.is_read(151, 201)
        assert not plan.is_read(300, 300)
        assert plan.is_read(301, 400)

    def test_where_events_do_not_come_newest_first_all_of_a_part_may_come(self) -> None:
        plan = plan_of(200, part(101, 200, oldest=150))
        plan.parts[0].newest_first = False
        assert not plan.is_read(151, 200)


class TestWhichPageIsNext:
    def test_the_oldest_part_comes_first_and_one_page_of_it_at_a_time(self) -> None:
        plan = plan_of(300, part(1, 100, oldest=50), part(101, 200), part(201, 300))
        first, second, third = plan.parts
        assert [plan.take(), plan.take(), plan.take(), plan.take()] == [first, second, third, None]
        assert all(each.in_flight for each in plan.parts)
        assert (second.requested_start, second.status) == (101, PartStatus.READING)

    def test_what_is_done_is_passed_over(self) -> None:
        plan = plan_of(200, part(1, 100), part(101, 200))
        plan.parts[0].status = PartStatus.DONE
        assert plan.take() is plan.parts[1]

    def test_without_credit_only_what_is_begun_goes_on(self) -> None:
        plan = plan_of(300, part(1, 100, oldest=50), part(101, 200), part(201, 300, oldest=250))
        with_credit(plan, 0.9)
        assert plan.take() is plan.parts[0]
        assert plan.take() is None

    def test_with_credit_for_one_a_new_part_is_begun(self) -> None:
        plan = plan_of(200, part(1, 100, oldest=50), part(101, 200))
        plan.parts[0].in_flight = True
        plan.requests = 1
        assert plan.credit == 1
        assert plan.take() is plan.parts[1]

    def test_without_credit_the_oldest_part_is_begun_all_the_same(self) -> None:
        plan = plan_of(200, part(1, 100), part(101, 200))
        plan.requests = 3
        assert plan.take() is plan.parts[0]
        assert plan.take() is None

    def test_a_part_that_was_cut_keeps_the_start_it_was_asked_with(self) -> None:
        plan = plan_of(100, part(1, 100, oldest=50))
        plan.parts[0].start = 40
        assert take(plan).requested_start == 1


class TestWindows:
    @staticmethod
    def after_head(events: int = 29, length: int = 290, *, end: int = 10_000) -> Plan:
        """A plan whose newest part is finished, so that the density is known."""
        plan = plan_of(end, part(1, end - length, WINDOW), part(end + 1 - length, end, HEAD))
        plan.parts[1].status = PartStatus.READING
        finish(plan, plan.parts[1], page(end, events, 0))
        return plan

    def test_a_window_holds_a_third_of_what_is_left_but_at_most_twenty_pages(self) -> None:
        plan = self.after_head()
        # 0.1 events a millisecond: 97 pages are left, and twenty are 200 events.
        window = take(plan)
        assert (window.start, window.end, window.cut_after) == (1, 2000, 30)
        assert rows(plan)[:2] == [(1, 2000, WINDOW), (2001, 9710, WINDOW)]
        assert window.requested_start == 1

    def test_and_at_least_four(self) -> None:
        plan = self.after_head(10, 1000)
        # 0.01 events a millisecond: nine pages are left, and four are 40 events.
        window = take(plan)
        assert (window.start, window.end, window.cut_after) == (1, 4000, 8)

    def test_in_between_it_is_a_third(self) -> None:
        plan = self.after_head(100, 4000)
        # 0.025 events a millisecond: 15 pages are left, so 5 are taken, which are 50 events.
        window = take(plan)
        assert (window.start, window.end, window.cut_after) == (1, 2000, 8)

    def test_the_next_one_waits_for_the_first_to_show_how_dense_the_oldest_side_is(self) -> None:
        plan = self.after_head()
        window = take(plan)
        assert plan.take() is None
        receive(plan, window, page(1990))
        assert plan.take() is window
        second = take(plan)
        assert second.start == 2001

    def test_once_a_window_with_events_is_finished_nobody_waits(self) -> None:
        plan = self.after_head()
        finish(plan, take(plan), page(1990, 9))
        second = take(plan)
        third = take(plan)
        assert second.end + 1 == third.start
        assert second.in_flight
        assert third.in_flight

    @pytest.mark.parametrize(("events", "known"), [(0, False), (1, True)])
    def test_an_empty_window_shows_nothing_of_the_density(
        self, events: int, *, known: bool
    ) -> None:
        plan = self.after_head(end=10**7)
        finish(plan, take(plan), page(1, events))
        take(plan)
        assert (plan.take() is not None) is known

    @pytest.mark.parametrize(("events", "cut_after"), [(500, 8), (150, 30)])
    def test_no_window_is_shorter_than_a_millisecond(self, events: int, cut_after: int) -> None:
        # So dense that twenty pages, 200 events, take less than two milliseconds.
        window = take(self.after_head(events, 1))
        assert (window.length, window.cut_after) == (1, cut_after)

    def test_windows_grow_tenfold_while_they_hold_next_to_nothing(self) -> None:
        plan = plan_of(10**9, part(1, 10**9 - 1000, WINDOW), part(10**9 - 999, 10**9, HEAD))
        plan.parts[1].status = PartStatus.READING
        finish(plan, plan.parts[1], [])
        lengths = []
        for _ in range(3):
            with_credit(plan, 2.0)
            window = take(plan)
            lengths.append(window.length)
            assert window.cut_after == 8
            finish(plan, window, [])
        assert lengths == [10_000, 100_000, 1_000_000]

    def test_without_credit_the_rest_is_one(self) -> None:
        plan = self.after_head()
        plan.requests = 99
        assert take(plan).length == 9710

    @pytest.mark.parametrize(("events", "length"), [(4, 10_000), (5, 398)])
    def test_a_tenth_of_the_smallest_window_is_next_to_nothing(
        self, events: int, length: int
    ) -> None:
        plan = plan_of(
            100_000, part(1, 98_000, WINDOW), part(98_001, 99_000), part(99_001, 100_000)
        )
        for of, count in ((plan.parts[2], 1000), (plan.parts[1], events)):
            of.status = PartStatus.READING
            finish(plan, of, page(of.end, count, 0))
        # About half an event a millisecond, so twenty pages are 398 ms.
        assert take(plan).length == length

    def test_after_a_dense_part_windows_start_small_again(self) -> None:
        plan = plan_of(10**6, part(1, 998_000, WINDOW), part(998_001, 10**6, HEAD))
        plan.parts[1].status = PartStatus.READING
        finish(plan, plan.parts[1], [])
        finish(plan, take(plan), page(20_000, 100, 1))
        # 100 events within 22,000 ms; a third of what is left is more than twenty pages.
        assert take(plan).length == int(20 * PAGE / (100 / 22_000))

    def test_a_length_that_growth_and_density_agree_on_is_that_of_the_density(
        self,
    ) -> None:
        plan = plan_of(
            100_000, part(1, 98_000, WINDOW), part(98_001, 99_000), part(99_001, 100_000)
        )
        for of, events in ((plan.parts[2], 36), (plan.parts[1], 4)):
            of.status = PartStatus.READING
            finish(plan, of, page(of.end, events, 0))
        # Ten times 1,000 ms, and 200 events at 40 within 2,000 ms.
        window = take(plan)
        assert (window.length, window.cut_after) == (10_000, 30)

    @pytest.mark.parametrize(("left", "whole"), [(1500, True), (1501, False)])
    def test_a_remainder_too_short_for_two_windows_is_one(self, left: int, *, whole: bool) -> None:
        plan = plan_of(left + 1000, part(1, left, WINDOW), part(left + 1, left + 1000, HEAD))
        plan.parts[1].status = PartStatus.READING
        finish(plan, plan.parts[1], page(left + 1000, 40, 1))
        # 0.04 events a millisecond, so four pages are 1,000 ms.
        window = take(plan)
        assert window.length == (left if whole else 1000)
        assert len(plan.parts) == (2 if whole else 3)

    def test_a_dense_remainder_may_take_half_as_many_pages_again_before_it_is_cut(self) -> None:
        plan = plan_of(3000, part(1, 2000, WINDOW), part(2001, 3000, HEAD))
        plan.parts[1].status = PartStatus.READING
        finish(plan, plan.parts[1], page(3000, 300, 1))
        # 0.3 events a millisecond: 60 pages are left, so 20 are taken, which are 666 ms.
        assert take(plan).cut_after == 30
        plan = plan_of(1500, part(1, 500, WINDOW), part(501, 1500, HEAD))
        plan.parts[1].status = PartStatus.READING
        finish(plan, plan.parts[1], page(1500, 600, 1))
        # 30 pages are left, so ten are 166 ms.
        assert take(plan).cut_after == 15

    def test_other_parts_are_taken_whole(self) -> None:
        plan = self.after_head()
        plan.parts[0] = part(1, 9710)
        assert take(plan).length == 9710
