"""Events of throttled users wait their turn, in order, and nobody else waits for them."""

from __future__ import annotations

from math import inf

from target_amplitude.delivery.block import QueuedEvent
from target_amplitude.delivery.throttling import Throttling
from target_amplitude.history.counts import StreamCounts

COUNTS = StreamCounts("email_open", 0.0)


def event(name: str, user: str = "ada", device: str = "") -> QueuedEvent:
    return QueuedEvent(name.encode(), b"", COUNTS, user, device)


def names(events: object) -> list[str]:
    assert isinstance(events, list)
    return [each.body.decode() for each in events]


def waiting(throttling: Throttling, user: str = "ada") -> list[str]:
    return names(list(throttling.users[user].events))


def test_what_is_put_back_comes_before_later_events_of_the_same_user() -> None:
    throttling = Throttling()
    throttling.hold([event("1"), event("2")], 10.0)
    assert throttling.separate([event("3")]) == ([], [])
    throttling.users["ada"].events.popleft()
    throttling.users["ada"].events.popleft()
    throttling.hold([event("1"), event("2")], 20.0)
    assert waiting(throttling) == ["1", "2", "3"]
    assert throttling.users["ada"].retry_at == 20.0


def test_each_user_waits_apart_and_the_longest_throttled_counts() -> None:
    throttling = Throttling()
    assert throttling.hold([event("1"), event("2", "bob"), event("3")], 5.0) == 1
    assert waiting(throttling) == ["1", "3"]
    assert waiting(throttling, "bob") == ["2"]
    assert throttling.hold([event("1")], 6.0) == 2
    assert throttling.hold([event("2", "bob"), event("1")], 7.0) == 3
    assert throttling.hold([event("2", "bob")], 8.0) == 3
    assert throttling.hold([], 9.0) == 0


def test_half_as_many_are_sent_next_time_and_at_least_one() -> None:
    throttling = Throttling()
    throttling.hold([event(str(number)) for number in range(5)], 1.0)
    assert throttling.users["ada"].slice_size == 2
    throttling.hold([event("0")], 1.0)
    assert throttling.users["ada"].slice_size == 1


def test_after_a_slice_has_gone_through_twice_as_many_follow_at_once() -> None:
    throttling = Throttling()
    throttling.hold([event(str(number)) for number in range(6)], 1.0)
    throttling.hold([], 1.0)
    user = throttling.users["ada"]
    user.retry_at = inf
    throttling.send_next(["ada"], 12.0)
    assert (user.retry_at, user.slice_size, user.attempts) == (12.0, 6, 0)
    assert throttling.hold([event("0")], 13.0) == 1


def test_a_slice_that_was_throttled_again_goes_on_waiting() -> None:
    throttling = Throttling()
    throttling.hold([event("1"), event("2")], 30.0)
    throttling.send_next(["ada", "nobody"], 12.0)
    assert throttling.users["ada"].retry_at == 30.0
    assert throttling.users["ada"].slice_size == 1


def test_a_user_of_whom_nothing_waits_is_throttled_no_longer() -> None:
    throttling = Throttling()
    throttling.hold([event("1"), event("2", "bob"), event("3", "eve")], 30.0)
    for user in ("ada", "eve"):
        throttling.users[user].events.clear()
        throttling.users[user].retry_at = inf
    throttling.send_next(["nobody", "bob", "ada", "eve"], 12.0)
    assert list(throttling.users) == ["bob"]


def test_nobody_waits_behind_a_throttled_user() -> None:
    throttling = Throttling()
    events = [event("1"), event("2", "bob"), event("3")]
    assert throttling.separate(events) == (events, [])
    throttling.hold([event("0")], 9.0)
    ready, deferred = throttling.separate(events)
    assert (names(ready), deferred) == (["2"], [])
    assert waiting(throttling) == ["0", "1", "3"]


def test_while_a_users_slice_is_in_flight_what_is_taken_with_it_may_go() -> None:
    throttling = Throttling()
    throttling.hold([event("0")], 9.0)
    throttling.users["ada"].retry_at = inf
    ready, deferred = throttling.separate([event("0"), event("1", "bob")])
    assert (names(ready), deferred) == (["0", "1"], [])


def test_a_used_up_quota_leaves_what_waits_and_what_comes() -> None:
    throttling = Throttling()
    throttling.hold([event("1"), event("2"), event("3", "bob")], 9.0)
    assert names(throttling.stop_users(["eve", "ada"])) == ["1", "2"]
    assert list(throttling.users) == ["bob"]
    events = [event("4"), event("5", "x"), event("6", "y", "eve"), event("7", "z", "other")]
    ready, deferred = throttling.separate(events)
    assert (names(ready), names(deferred)) == (["5", "7"], ["4", "6"])
