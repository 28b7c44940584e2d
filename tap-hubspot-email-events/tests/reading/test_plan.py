"""A range becomes few requests, whatever its events' distribution, and each event comes once."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_hubspot_email_events.reading.plan import (
    EARNED_PER_PAGE,
    EMPTY_PAGES,
    FREE_REQUESTS,
    PagingError,
    Part,
    PartKind,
    PartStatus,
    Plan,
)

DAY = 86_400_000
DECADE = 3650 * DAY
PAGE = 20


@dataclass
class Outcome:
    """What reading a range has taken."""

    read: list[int]
    requests: int
    finished: list[Part]
    rounds: int = 0


class HubSpot:
    """Events of a range in memory, served newest first, with positions for offsets."""

    def __init__(self, times: list[int]) -> None:
        self.times = sorted(times)

    def answer(self, part: Part) -> tuple[list[int], int]:
        """The next page of a part, and how many older events there are."""
        first = bisect.bisect_left(self.times, part.requested_start)
        last = max(first, bisect.bisect_right(self.times, part.end) - int(part.offset or 0))
        events = self.times[max(first, last - PAGE) : last][::-1]
        return events, last - len(events) - first


def read(  # noqa: PLR0913
    times: list[int],
    start: int,
    end: int,
    *,
    threads: int = 8,
    seed: int = 0,
    shuffled: bool = False,
    at_once: bool = False,
    late: int = 0,
) -> Outcome:
    """Read a range from a HubSpot in memory.

    Answers come in any order or, `at_once`, all of those in flight before anything else is asked;
    `late` events appear while it is read.
    """
    hubspot = HubSpot(times)
    order = random.Random(seed)
    plan = Plan(start, end, page_size=PAGE)
    in_flight: list[Part] = []
    outcome = Outcome([], 0, [])
    taken_for_read: list[tuple[int, int]] = []
    while plan.parts or in_flight:
        while plan.parts and plan.parts[0].status is PartStatus.DONE:
            outcome.finished.append(plan.parts.pop(0))
        while len(in_flight) < threads and (part := plan.take() or plan.split_longest()):
            in_flight.append(part)
        assert in_flight or not plan.parts, "nothing in flight, and not done"
        outcome.rounds += 1
        for _ in range(len(in_flight) if at_once else min(1, len(in_flight))):
            part = in_flight.pop(order.randrange(len(in_flight)))
            events, left = hubspot.answer(part)
            offset = str(int(part.offset or 0) + len(events))
            sent = order.sample(events, len(events)) if shuffled else events
            cut = plan.receive(part, sent, has_more=left > 0, offset=offset)
            kept = [time for time in sent if cut is None or time > cut]
            outcome.read += kept
            outcome.requests += 1
            for low, high in () if late else taken_for_read:
                assert not any(low <= time <= high for time in kept), "it was said to be read"
        low, high = sorted(order.choices([start, end, *hubspot.times], k=2))
        if plan.is_read(low, high):
            taken_for_read.append((low, high))
        if late:
            late -= 1
            bisect.insort(hubspot.times, order.randrange(start, end))
        assert outcome.requests <= 2 * len(hubspot.times) + 100, "it does not end"
    assert (plan.length_left, plan.pages_left) == (0, 0)
    return outcome


clusters = st.lists(
    st.tuples(
        st.integers(0, DECADE),  # where
        st.sampled_from([1, 1000, 3_600_000, DAY, 365 * DAY, DECADE]),  # how wide
        st.integers(1, 400),  # how many
    ),
    max_size=8,
)


def spread(groups: list[tuple[int, int, int]], seed: int) -> list[int]:
    order = random.Random(seed)
    return [
        min(DECADE, 1 + where + order.randrange(width))
        for where, width, count in groups
        for _ in range(count)
    ]


@settings(max_examples=150, deadline=None)
@given(clusters, st.integers(0, 1000), st.integers(1, 12))
def test_every_event_comes_once_within_the_promised_requests_oldest_part_first(
    groups: list[tuple[int, int, int]], seed: int, threads: int
) -> None:
    times = spread(groups, seed)
    outcome = read(times, 1, DECADE, threads=threads, seed=seed)
    assert sorted(outcome.read) == sorted(times)
    # One and a half for every full page, and a few.
    assert outcome.requests <= (1 + EARNED_PER_PAGE) * len(times) / PAGE + FREE_REQUESTS + 1
    finished = outcome.finished
    assert (finished[0].start, finished[-1].end) == (1, DECADE)
    assert all(b.start == a.end + 1 for a, b in itertools.pairwise(finished))


@settings(max_examples=50, deadline=None)
@given(clusters, st.integers(0, 1000))
def test_pages_that_are_not_newest_first_are_read_to_their_end(
    groups: list[tuple[int, int, int]], seed: int
) -> None:
    times = spread(groups, seed)
    assert sorted(read(times, 1, DECADE, seed=seed, shuffled=True).read) == sorted(times)


@settings(max_examples=50, deadline=None)
@given(clusters, st.integers(0, 1000), st.integers(1, 50))
def test_events_that_appear_meanwhile_cost_no_other(
    groups: list[tuple[int, int, int]], seed: int, late: int
) -> None:
    times = spread(groups, seed)
    assert not Counter(times) - Counter(read(times, 1, DECADE, seed=seed, late=late).read)


@settings(max_examples=20, deadline=None)
@given(st.integers(300, 3000), st.integers(0, 1000), st.sampled_from([2, 4, 8]))
def test_what_is_even_is_read_side_by_side(pages: int, seed: int, threads: int) -> None:
    order = random.Random(seed)
    times = [order.randrange(1, 30 * DAY) for _ in range(pages * PAGE)]
    outcome = read(times, 1, 30 * DAY, threads=threads, at_once=True)
    assert outcome.rounds <= 1.2 * pages / threads + 40
    assert outcome.requests <= 1.08 * pages + 10


@pytest.mark.parametrize("days", [1, 30, 365])
def test_of_many_events_only_a_few_pages_wait_for_what_is_older(days: int) -> None:
    order = random.Random(7)
    times = [order.randrange(1, days * DAY) for _ in range(200 * PAGE)]
    newest = read(times, 1, days * DAY).finished[-1]
    assert newest.kind is PartKind.HEAD
    assert newest.pages <= 6


def test_a_burst_in_a_quiet_time_is_read_side_by_side_too() -> None:
    times = [DECADE // 2 + n * 100 for n in range(300 * PAGE)] + [
        DAY * day for day in range(1, 3650)
    ]
    outcome = read(times, 1, DECADE, at_once=True)
    assert outcome.rounds <= len(times) / PAGE / 3


@pytest.mark.parametrize(
    ("count", "most"), [(0, 1), (1, 1), (PAGE, 1), (PAGE + 1, 2), (3 * PAGE, 3), (5 * PAGE, 7)]
)
def test_ten_quiet_years_take_hardly_more_requests_than_pages(count: int, most: int) -> None:
    times = [DECADE * n // (count + 1) + 1 for n in range(count)]
    assert read(times, 1, DECADE).requests <= most


def test_a_burst_within_one_millisecond_is_read_whole() -> None:
    outcome = read([DECADE // 2] * 100 * PAGE, 1, DECADE)
    assert len(outcome.read) == 100 * PAGE
    assert outcome.requests <= 102


def started(end: int = 1000) -> tuple[Plan, Part]:
    """A plan of pages of two, and its first part, which has been requested."""
    plan = Plan(1, end, page_size=2)
    part = plan.take()
    assert part is not None
    return plan, part


def test_an_empty_range_takes_nothing() -> None:
    plan = Plan(5, 4, page_size=PAGE)
    assert plan.take() is None
    assert plan.pages_left == 0


def test_a_page_without_an_offset_is_followed_by_asking_for_what_is_older() -> None:
    plan, part = started()
    assert plan.receive(part, [900, 800], has_more=True, offset=None) == 800
    older = plan.take()
    assert older is not None
    assert (older.start, older.end) == (1, 800)


@pytest.mark.parametrize("created", [[], [1000, 1000]])
def test_more_without_any_way_to_it_is_an_error(created: list[int]) -> None:
    plan, part = started()
    with pytest.raises(PagingError):
        plan.receive(part, created, has_more=True, offset=None)


def test_an_offset_that_comes_back_is_an_error() -> None:
    plan, part = started()
    plan.receive(part, [900, 800], has_more=True, offset="a")
    with pytest.raises(PagingError):
        plan.receive(part, [900, 800], has_more=True, offset="a")


def test_empty_pages_without_end_are_an_error() -> None:
    plan, part = started()
    for number in range(EMPTY_PAGES):
        plan.receive(part, [], has_more=True, offset=f"a{number}")
    plan.receive(part, [900], has_more=True, offset="b")
    for number in range(EMPTY_PAGES):
        plan.receive(part, [], has_more=True, offset=f"c{number}")
    with pytest.raises(PagingError):
        plan.receive(part, [], has_more=True, offset="d")


@pytest.mark.parametrize("failed", [1, 3])
def test_a_failed_or_unfinished_part_takes_all_that_is_newer_with_it(failed: int) -> None:
    parts = [Part(1 + 10 * n, 10 + 10 * n, PartKind.REST) for n in range(4)]
    for number in (0, 2, 3):
        parts[number].status = PartStatus.DONE
    plan = Plan(1, 40, page_size=2)
    plan.parts = list(parts)
    plan.abandon(parts[failed])
    assert plan.parts == parts[:1]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_caller_that_is_short_of_memory_may_forbid_that_the_newest_part_is_cut(
    *, allowed: bool
) -> None:
    plan, head = started(100_000)
    for number in range(3):
        newest = 100_000 - 20 * number
        created = [newest, newest - 10]
        cut = plan.receive(
            head, created, has_more=True, offset=str(number), may_cut=allowed or number < 2
        )
    assert (cut is not None) is allowed


def test_how_much_is_left_is_unknown_until_something_is_finished() -> None:
    plan, head = started()
    assert plan.pages_left == math.inf
    plan.receive(head, [900, 800], has_more=True, offset=None)
    # One event that counts within 200 ms, and 800 ms to go.
    assert plan.pages_left == pytest.approx(800 / 200 / 2)
    assert plan.length_left == 800


@pytest.mark.parametrize(("created", "done"), [([600, 400], True), ([400, 600], False)])
def test_a_part_ends_at_what_is_read_beside_it_unless_its_events_come_in_no_order(
    created: list[int], *, done: bool
) -> None:
    plan, part = started()
    part.start = 500
    assert plan.receive(part, created, has_more=True, offset="a") == 499
    assert (part.status is PartStatus.DONE) is done
