"""The threads that send: who wakes up when, so that nothing waits while one of them is idle."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

from loading.threads import add, event, within

if TYPE_CHECKING:
    from loading.threads import Amplitude
    from target_amplitude.delivery.delivery import Delivery
    from target_amplitude.delivery.queued_event import QueuedEvent


def batch_of(partition: int, events: int = 5) -> list[QueuedEvent]:
    """Events of one user, whose partition this is; five are a full batch."""
    user = next(name for name in map(str, count()) if hash(name) % 3 == partition)
    return [event(number, user=user) for number in range(events)]


def idle(delivery: Delivery) -> None:
    """Start three threads, which then wait for work."""
    delivery.coordinator.queue.split()
    add(delivery, event(1))
    assert delivery.finish()


def test_what_a_state_waits_for_is_sent_after_a_while(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    add(delivery, event(1))
    begun = time.monotonic()
    delivery.close_checkpoint(b"{}")
    assert amplitude.asked.wait(5)
    assert 0.1 <= time.monotonic() - begun < 1.0


def test_what_is_not_covered_by_a_state_waits_for_more(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    add(delivery, event(1))
    assert not amplitude.asked.wait(0.3)


def test_a_thread_that_sends_leaves_another_to_see_when_partial_batches_are_due(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    idle(delivery)
    amplitude.may_answer.clear()
    amplitude.sent.clear()
    with delivery.coordinator.changed:
        # As a state that still waits for others has it, once an answer has settled some.
        delivery.coordinator.flush_at = time.monotonic() + 0.1
    add(delivery, *batch_of(0), *batch_of(1, 2))
    assert within(5, lambda: amplitude.sent == [5, 2])


def test_batches_that_an_answer_releases_are_all_sent_at_once(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    amplitude.may_answer.clear()
    add(delivery, *map(event, range(5)))
    assert amplitude.asked.wait(5)
    delivery.coordinator.queue.split()
    # In each partition they follow the request that was there before the split.
    add(delivery, *batch_of(0), *batch_of(1), *batch_of(2))
    assert not within(0.2, lambda: amplitude.sent != [5])
    amplitude.may_answer_some.release()
    assert within(5, lambda: amplitude.sent == [5, 5, 5, 5])


def test_a_throttled_user_whose_device_has_used_up_its_quota_is_left_for_another_run(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    with delivery.coordinator.changed:
        held = [event(number, user="u", device="d") for number in range(2)]
        queue = delivery.coordinator.queue
        queue.pending += len(held)
        queue.throttling.hold(held, 0.0)
        queue.throttling.exhaust(["d"])
    add(delivery, event(9))
    assert delivery.finish()
    assert delivery.coordinator.exhausted_events == 2
    assert amplitude.sent == [1]
