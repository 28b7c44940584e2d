"""A range becomes few requests, whatever its events' distribution, and each event comes once."""

from __future__ import annotations

import bisect
import itertools
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_hubspot_email_events.reading.part import Part, PartKind, PartStatus
from tap_hubspot_email_events.reading.plan import (
    EARNED_PER_PAGE,
    FREE_REQUESTS,
    PagingError,
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


def read(  # noqa: PLR0913
    times: list[int],
    start: int,
    end: int,
    *,
    page: int = PAGE,
    threads: int = 8,
    seed: int = 0,
    shuffled: bool = False,
) -> Outcome:
    """Read a range from a HubSpot in memory, answers coming in any order."""
    times = sorted(times)
    order = random.Random(seed)
    plan = Plan(start, end, page_size=page)
    in_flight: list[Part] = []
    outcome = Outcome([], 0, [])
    while plan.parts or in_flight:
        while plan.parts and plan.parts[0].status is PartStatus.DONE:
            outcome.finished.append(plan.parts.pop(0))
        while len(in_flight) < threads and (part := plan.take() or plan.split_longest()):
            in_flight.append(part)
        assert in_flight or not plan.parts, "nothing in flight, and not done"
        if not in_flight:
            break
        part = in_flight.pop(order.randrange(len(in_flight)))
        first = bisect.bisect_left(times, part.requested_start)
        last = bisect.bisect_right(times, part.end) - int(part.offset or 0)
        events = times[max(first, last - page) : last][::-1]
        offset = str(int(part.offset or 0) + len(events))
        sent = order.sample(events, len(events)) if shuffled else events
        cut = plan.receive(part, sent, has_more=last - len(events) > first, offset=offset)
        outcome.read += [time for time in sent if cut is None or time > cut]
        outcome.requests += 1
        assert outcome.requests <= 2 * len(times) + 100, "it does not end"
    return outcome


def most_requests(events: int, page: int) -> float:
    """The promise: one and a half for every full page, and a few."""
    return (1 + EARNED_PER_PAGE) * events / page + FREE_REQUESTS + 1


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
        min(DECADE, where + order.randrange(width))
        for where, width, count in groups
        for _ in range(count)
    ]


@settings(max_examples=150, deadline=None)
@given(clusters, st.integers(0, 1000), st.integers(1, 12))
def test_every_event_comes_once_within_the_promised_requests(
    groups: list[tuple[int, int, int]], seed: int, threads: int
) -> None:
    times = spread(groups, seed)
    outcome = read(times, 1, DECADE, threads=threads, seed=seed)
    wanted = sorted(time for time in times if time >= 1)
    assert sorted(outcome.read) == wanted
    assert outcome.requests <= most_requests(len(wanted), PAGE)


@settings(max_examples=50, deadline=None)
@given(clusters, st.integers(0, 1000))
def test_parts_finish_oldest_first_and_cover_the_range_without_gap(
    groups: list[tuple[int, int, int]], seed: int
) -> None:
    finished = read(spread(groups, seed), 1, DECADE, seed=seed).finished
    assert finished[0].start == 1
    assert finished[-1].end == DECADE
    assert all(b.start == a.end + 1 for a, b in itertools.pairwise(finished))


@settings(max_examples=50, deadline=None)
@given(clusters, st.integers(0, 1000))
def test_pages_that_are_not_newest_first_are_read_to_their_end(
    groups: list[tuple[int, int, int]], seed: int
) -> None:
    times = [time for time in spread(groups, seed) if time >= 1]
    outcome = read(times, 1, DECADE, seed=seed, shuffled=True)
    assert sorted(outcome.read) == sorted(times)


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])
def test_a_quiet_range_takes_as_many_requests_as_it_has_pages(count: int) -> None:
    times = [DECADE * n // (count + 1) + 1 for n in range(count)]
    assert read(times, 1, DECADE).requests == max(1, -(-count // PAGE))


def test_ten_sparse_years_take_a_handful() -> None:
    order = random.Random(3)
    times = [order.randrange(1, DECADE) for _ in range(5000)]
    assert read(times, 1, DECADE, page=1000).requests <= 7


def test_a_million_even_events_take_little_more_than_their_pages() -> None:
    order = random.Random(5)
    times = [order.randrange(1, 30 * DAY) for _ in range(100_000)]
    assert read(times, 1, 30 * DAY, page=100).requests <= 1080


def test_a_burst_within_one_millisecond_is_read_whole() -> None:
    outcome = read([DECADE // 2] * 2000, 1, DECADE)
    assert len(outcome.read) == 2000
    assert outcome.requests <= 102


def test_an_empty_range_takes_nothing() -> None:
    assert Plan(5, 4, page_size=PAGE).take() is None


def test_a_page_without_an_offset_is_followed_by_asking_for_what_is_older() -> None:
    plan = Plan(1, 1000, page_size=2)
    part = plan.take()
    assert part is not None
    assert plan.receive(part, [900, 800], has_more=True, offset=None) == 800
    older = plan.take()
    assert older is not None
    assert (older.start, older.end) == (1, 800)


@pytest.mark.parametrize("created", [[], [1000, 1000]])
def test_more_without_any_way_to_it_is_an_error(created: list[int]) -> None:
    plan = Plan(1, 1000, page_size=2)
    part = plan.take()
    assert part is not None
    with pytest.raises(PagingError):
        plan.receive(part, created, has_more=True, offset=None)


def test_an_offset_that_comes_back_is_an_error() -> None:
    plan = Plan(1, 1000, page_size=2)
    part = plan.take()
    assert part is not None
    plan.receive(part, [900, 800], has_more=True, offset="a")
    with pytest.raises(PagingError):
        plan.receive(part, [900, 800], has_more=True, offset="a")


def test_a_failed_part_takes_all_that_is_newer_with_it() -> None:
    plan = Plan(1, 1000, page_size=2)
    old, failed, newer = (
        Part(1, 9, PartKind.WINDOW),
        Part(10, 19, PartKind.WINDOW),
        Part(20, 1000, PartKind.HEAD),
    )
    old.status = failed.status = newer.status = PartStatus.DONE
    plan.parts = [old, failed, newer]
    plan.abandon(failed)
    assert plan.parts == [old]


def test_empty_pages_without_end_are_an_error() -> None:
    plan = Plan(1, 1000, page_size=2)
    part = plan.take()
    assert part is not None

    def read_on() -> None:
        for number in range(1000):
            plan.receive(part, [], has_more=True, offset=str(number))

    with pytest.raises(PagingError):
        read_on()
