from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.errors import StreamError
from tap_hubspot_email_events.hubspot.client import RequestCount
from tap_hubspot_email_events.hubspot.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 10


class Directory:
    """Doubles numbers, noting each request."""

    def __init__(self, before: Callable[[list[int]], object] = len) -> None:
        self.requests: list[list[int]] = []
        self.before = before

    def __call__(self, keys: list[int], count: RequestCount) -> dict[int, int]:
        count.add(retried=False)
        self.requests.append(keys)
        self.before(keys)
        return {key: 2 * key for key in keys}


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=40), max_size=8),
    st.integers(1, 20),
    st.integers(51, 60),
)
def test_every_key_gets_its_value_and_is_asked_for_once(
    pages: list[list[int]], batch: int, capacity: int
) -> None:
    directory = Directory()
    lookup = Lookup(directory, batch=batch, capacity=capacity)

    count = RequestCount()
    for page in pages:
        assert lookup.find(page, count) == {key: 2 * key for key in page}

    fetched = list(chain.from_iterable(directory.requests))
    assert sorted(fetched) == sorted(set(chain.from_iterable(pages)))
    assert all(len(request) <= batch for request in directory.requests)
    assert count.requests == len(directory.requests)


def test_threads_that_want_the_same_keys_share_the_requests() -> None:
    together = threading.Barrier(2, timeout=TIMEOUT)
    directory = Directory(lambda keys: together.wait() if len(keys) == 100 else None)
    lookup = Lookup(directory, batch=100)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: lookup.find(range(250), RequestCount()), range(4)))

    assert found == [{key: 2 * key for key in range(250)}] * 4
    # The two full requests were under way at once, or the barrier would have broken.
    assert sorted(map(len, directory.requests)) == [50, 100, 100]


def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    entered, leave = threading.Event(), threading.Event()

    def fail_once(_: list[int]) -> None:
        if not entered.is_set():
            entered.set()
            assert leave.wait(TIMEOUT)
            raise StreamError("no answer")

    directory = Directory(fail_once)
    lookup = Lookup(directory, batch=1)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lookup.find, [7], RequestCount())
        assert entered.wait(TIMEOUT)
        second = pool.submit(lookup.find, [8, 7], RequestCount())
        # The second thread fetches its own key before it waits for the other's.
        while len(directory.requests) < 2:
            assert not second.done()
        leave.set()
        for waiting in (first, second):
            with pytest.raises(StreamError, match="no answer"):
                waiting.result(TIMEOUT)

    assert lookup.find([7, 8], RequestCount()) == {7: 14, 8: 16}
    assert directory.requests == [[7], [8], [7]]


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    directory = Directory()
    lookup = Lookup(directory, batch=10, capacity=2)

    for keys in ([1], [2], [1], [3], [1], [2]):
        lookup.find(keys, RequestCount())

    assert directory.requests == [[1], [2], [3], [2]]
