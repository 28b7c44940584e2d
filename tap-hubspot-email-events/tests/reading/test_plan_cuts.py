"""Where a part that proves too full is cut, and how long parts are split, in figures."""

from __future__ import annotations

import pytest

from extracting.plans import (
    BURST,
    HEAD,
    PAGE,
    REST,
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
from tap_hubspot_email_events.reading.part import Part, PartKind, PartStatus
from tap_hubspot_email_events.reading.plan import PagingError, Plan


class TestCuts:
    @staticmethod
    def eighth_page(
        created: list[int], kind: PartKind = REST, *, offset: str | None = "last", start: int = 1
    ) -> tuple[Plan, Part, int | None]:
        """A part of which seven pages were read, down to 9,310, and now this one."""
        plan = plan_of(10_000, Part(start, 10_000, kind))
        of = take(plan)
        for number in range(7):
            assert receive(plan, of, page(10_000 - 100 * number), str(number)) is None
            assert plan.take() is of
        return plan, of, receive(plan, of, created, offset)

    def test_a_part_that_proves_too_full_is_cut_where_it_has_come_to(self) -> None:
        plan, of, cut = self.eighth_page(page(9300))
        assert cut == 9210
        assert rows(plan) == [(1, 9210, WINDOW), (9211, 10_000, REST)]
        assert of.status is PartStatus.DONE
        # The event at 9,210 is read again.
        assert (of.events, plan.events) == (79, 79)
        assert take(plan).start == 1

    def test_not_one_page_sooner(self) -> None:
        plan = plan_of(10_000, Part(1, 10_000, REST))
        of = take(plan)
        for number in range(7):
            assert receive(plan, of, page(10_000 - 100 * number), str(number)) is None
        assert of.status is PartStatus.READING
        assert of.offset == "6"

    @pytest.mark.parametrize(("repeated", "cuts"), [(5, True), (6, False)])
    def test_half_a_page_at_one_instant_may_be_read_again_but_no_more(
        self, repeated: int, *, cuts: bool
    ) -> None:
        newer = page(9300, PAGE - repeated)
        _, of, cut = self.eighth_page([*newer, *[9000] * repeated])
        assert cut == (9000 if cuts else None)
        assert of.events == 70 + PAGE - (repeated if cuts else 0)

    def test_where_little_is_left_it_is_not_worth_it(self) -> None:
        # 79 events within 790 ms, so two pages are 200 ms.
        assert self.eighth_page(page(9300), start=9011)[2] == 9210
        assert self.eighth_page(page(9300), start=9012)[2] is None

    @pytest.mark.parametrize(("requests", "cuts"), [(1, True), (2, False)])
    def test_the_page_itself_earns_toward_what_a_cut_costs(
        self, requests: int, *, cuts: bool
    ) -> None:
        plan = plan_of(10_000, part(1, 10_000, oldest=9310, events=70))
        plan.parts[0].pages = 7
        plan.requests = requests
        # Nine new events earn 1.35 requests, this page costs one, and one is set aside.
        assert (receive(plan, plan.parts[0], page(9300)) is not None) is cuts

    def test_what_is_read_again_earns_nothing(self) -> None:
        plan = plan_of(10_000, part(1, 10_000, oldest=9310, events=70))
        plan.parts[0].pages = 7
        plan.requests = 1
        # Six new events earn 0.9 requests.
        assert receive(plan, plan.parts[0], [*page(9300, 6), *[9000] * 4]) is None

    def test_credit_for_exactly_one_is_enough(self) -> None:
        plan = plan_of(10_000, part(1, 10_000, oldest=9310, events=70))
        plan.parts[0].pages = 7
        plan.requests, plan.events = 3, 10
        # Three and 1.5 earned, less four and one set aside; ten new events earn another 1.5.
        assert receive(plan, plan.parts[0], page(9300, 11)) == 9200

    def test_events_that_do_not_come_newest_first_are_read_to_their_end(self) -> None:
        assert self.eighth_page(page(9300)[::-1])[2] is None
        assert self.eighth_page(page(9400))[2] is None

    def test_a_caller_may_forbid_it(self) -> None:
        plan = plan_of(10_000, part(1, 10_000, oldest=9310, events=70))
        of = plan.parts[0]
        of.pages = 7
        cut = plan.receive(of, page(9300), has_more=True, offset="x", may_cut=False)
        assert cut is None
        assert of.offset == "x"

    def test_without_an_offset_it_is_cut_wherever_it_is(self) -> None:
        plan = plan_of(1000)
        head = take(plan)
        cut = plan.receive(head, page(990), has_more=True, offset=None, may_cut=False)
        assert cut == 900
        assert rows(plan) == [(1, 900, WINDOW), (901, 1000, HEAD)]

    @pytest.mark.parametrize("created", [[1000] * PAGE, []])
    def test_unless_that_leads_nowhere(self, created: list[int]) -> None:
        plan = plan_of(1000)
        head = take(plan)
        with pytest.raises(PagingError):
            receive(plan, head, created, None)

    def test_an_event_older_than_the_part_ends_it(self) -> None:
        plan = plan_of(1000)
        head = take(plan)
        assert receive(plan, head, [5, 1, 0]) == 0
        assert (head.status, head.events) == (PartStatus.DONE, 2)

    def test_a_part_may_be_cut_down_to_its_first_millisecond(self) -> None:
        plan = plan_of(1000)
        assert receive(plan, take(plan), page(91), None) == 1
        assert rows(plan) == [(1, 1, WINDOW), (2, 1000, HEAD)]

    def test_the_newest_part_is_cut_after_three_pages(self) -> None:
        plan = plan_of()
        head = take(plan)
        assert receive(plan, head, page(10_000), "a") is None
        assert receive(plan, head, page(9900), "b") is None
        assert receive(plan, head, page(9800), "c") == 9710

    def test_after_a_cut_the_density_is_that_of_the_cut_part_alone(self) -> None:
        plan = plan_of(20_000, part(1, 10_000, oldest=9310, events=70), part(10_001, 20_000))
        of = plan.parts[0]
        of.pages = 7
        plan.parts[1].status = PartStatus.READING
        finish(plan, plan.parts[1], [])
        with_credit(plan, 3.0)
        assert receive(plan, of, page(9300)) == 9210
        # 79 events within 790 ms, whatever the newer part was like.
        assert plan.pages_left == pytest.approx(92.1)
        assert take(plan).length == 2000

    def test_a_window_that_is_cut_leaves_a_burst_beside_it(self) -> None:
        plan = plan_of(10_000, part(1, 10_000, WINDOW, oldest=9310, events=70))
        of = plan.parts[0]
        of.pages = plan.requests = 7
        plan.events = 70
        assert receive(plan, of, page(9300)) == 9210
        # 79 events within 790 ms, so eight pages are 800 ms; the credit pays for three parts.
        assert rows(plan) == [
            (1, 6810, REST),
            (6811, 7610, BURST),
            (7611, 8410, BURST),
            (8411, 9210, BURST),
            (9211, 10_000, WINDOW),
        ]
        assert [each.cut_after for each in plan.parts[:4]] == [8, 16, 16, 16]
        assert of.length == 790


class TestBursts:
    @staticmethod
    def burst(start: int, events: int, credit: float) -> list[tuple[int, int, PartKind]]:
        """What comes of a window that is cut at 10,000, ending at 10,100."""
        plan = plan_of(10_100, part(start, 10_100, WINDOW, oldest=10_000, events=events))
        with_credit(plan, credit)
        of = plan.parts[0]
        plan._split(of, 10_000)  # noqa: SLF001 - the figures of its caller are tested above
        return rows(plan)[:-1]

    def test_as_many_as_there_is_credit_for(self) -> None:
        # 100 ms with 80 events: eight pages are 100 ms.
        assert self.burst(1, 80, 3.0) == [
            (1, 9700, REST),
            (9701, 9800, BURST),
            (9801, 9900, BURST),
            (9901, 10_000, BURST),
        ]
        assert self.burst(1, 80, 1.5) == [(1, 9900, REST), (9901, 10_000, BURST)]
        assert self.burst(1, 80, 0.0) == [(1, 10_000, REST)]

    def test_as_many_as_there_is_room_for(self) -> None:
        assert self.burst(9701, 80, 9.0) == [
            (9701, 9800, REST),
            (9801, 9900, BURST),
            (9901, 10_000, BURST),
        ]
        assert self.burst(9702, 80, 9.0) == [(9702, 9900, REST), (9901, 10_000, BURST)]
        assert self.burst(9990, 80, 9.0) == [(9990, 10_000, REST)]

    def test_of_very_many_events_a_burst_is_a_millisecond(self) -> None:
        assert self.burst(1, 100_000, 9.0)[1:] == [
            (9998, 9998, BURST),
            (9999, 9999, BURST),
            (10_000, 10_000, BURST),
        ]

    def test_of_few_events_a_burst_is_long(self) -> None:
        assert self.burst(1, 0, 9.0) == [(1, 10_000, REST)]
        assert self.burst(1, 1, 9.0) == [(1, 10_000, REST)]
        assert self.burst(1, 2, 9.0) == [(1, 6000, REST), (6001, 10_000, BURST)]


class TestSplits:
    @staticmethod
    def reading(start: int = 1, oldest: int = 9001, events: int = 100, credit: float = 5.0) -> Plan:
        plan = plan_of(10_001, part(start, 10_001, oldest=oldest, events=events))
        with_credit(plan, credit)
        return plan

    def test_the_older_half_of_what_is_left_is_read_beside_it(self) -> None:
        # 100 events within 1,000 ms, and 900 ms to go: nine pages.
        plan = self.reading(start=8101)
        half = plan.split_longest()
        assert half is plan.parts[0]
        assert rows(plan) == [(8101, 8550, REST), (8551, 10_001, REST)]
        assert (half.requested_start, half.in_flight, half.status) == (
            8101,
            True,
            PartStatus.READING,
        )
        assert plan.parts[1].requested_start == 8101

    def test_of_a_long_part_ten_pages_are_taken_next_to_it(self) -> None:
        # 90 pages are left, so a ninth of 9,000 ms.
        plan = self.reading()
        half = plan.split_longest()
        assert half is plan.parts[1]
        assert rows(plan) == [(1, 7000, REST), (7001, 8000, REST), (8001, 10_001, REST)]

    def test_a_rest_shorter_than_the_half_is_added_to_it(self) -> None:
        # Of 2,700 ms or 27 pages ten are 1,000 ms; 700 ms would remain.
        plan = self.reading(start=6301)
        plan.split_longest()
        assert rows(plan) == [(6301, 8000, REST), (8001, 10_001, REST)]

    def test_a_rest_as_long_as_the_half_is_a_part_of_its_own(self) -> None:
        plan = self.reading(start=6001)
        plan.split_longest()
        assert rows(plan) == [(6001, 7000, REST), (7001, 8000, REST), (8001, 10_001, REST)]

    @pytest.mark.parametrize(("start", "splits"), [(8701, True), (8702, False)])
    def test_three_pages_are_worth_a_request(self, start: int, *, splits: bool) -> None:
        assert (self.reading(start=start).split_longest() is not None) is splits

    @pytest.mark.parametrize(("requests", "splits"), [(1, True), (2, False)])
    def test_it_takes_credit_for_one(self, requests: int, *, splits: bool) -> None:
        plan = self.reading()
        plan.events, plan.requests = 0, requests
        assert (plan.split_longest() is not None) is splits

    def test_the_longest_is_split(self) -> None:
        plan = plan_of(
            10_000,
            part(1, 2000, oldest=1001, events=100),
            part(2001, 10_000, oldest=9001, events=100),
        )
        with_credit(plan, 9.0)
        plan.split_longest()
        assert len(plan.parts) == 4
        assert plan.parts[0].end == 2000

    def test_nothing_is_split_that_shows_nothing_of_itself(self) -> None:
        assert plan_of().split_longest() is None
        plan = self.reading()
        plan.parts[0].oldest = None
        plan._finished.append((10, 10))  # noqa: SLF001 - so that how much is left is known
        assert plan.split_longest() is None
        for name, value in (("newest_first", False), ("at_one_instant", True)):
            plan = self.reading()
            setattr(plan.parts[0], name, value)
            assert plan.split_longest() is None

    def test_the_newer_part_ends_where_the_older_one_begins(self) -> None:
        plan = self.reading(start=8101)
        plan.split_longest()
        newer = plan.parts[1]
        assert receive(plan, newer, page(9000), "a") is None
        created = [8600, 8550, 8540]
        assert receive(plan, newer, created, "b") == 8550
        assert newer.status is PartStatus.DONE
        assert newer.events == 100 + 10 + 1
        assert rows(plan) == [(8101, 8550, REST), (8551, 10_001, REST)]

    def test_unless_events_do_not_come_newest_first(self) -> None:
        plan = self.reading(start=8101)
        plan.split_longest()
        newer = plan.parts[1]
        assert receive(plan, newer, [8540, 8600], "b") == 8550
        assert newer.status is PartStatus.READING
        assert newer.events == 101

    def test_an_event_at_the_start_belongs_to_the_newer_part(self) -> None:
        plan = self.reading(start=8101)
        plan.split_longest()
        newer = plan.parts[1]
        assert receive(plan, newer, [8600, 8551], "b") is None
        assert newer.status is PartStatus.READING
