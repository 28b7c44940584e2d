"""Batches, order and threads: when the reader waits, when the run fails, when it ends."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import OPEN, numbers, record, run_of, schema, state
from loading.threads import add, event, in_background, in_time, within
from target_amplitude.amplitude.answers import Answer
from target_amplitude.amplitude.delays import Delays
from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery import delivery as module
from target_amplitude.errors import RunFailedError
from target_amplitude.run import write_state

if TYPE_CHECKING:
    from loading.loader import Loader
    from loading.threads import Amplitude
    from sandbox.client import Sandbox
    from target_amplitude.delivery.coordinator import Coordinator
    from target_amplitude.delivery.delivery import Delivery


def test_a_small_run_is_one_request_and_its_state(sandbox: Sandbox, loader: Loader) -> None:
    states = loader.load(run_of(300, state_every=100))
    assert numbers(states)[-1] == 300
    assert sandbox.amplitude_counts() == {OPEN: 300}
    assert sandbox.amplitude_stats()["requests"] == 1


def test_batches_fill_up_across_streams(sandbox: Sandbox, loader: Loader) -> None:
    messages: list[Any] = [schema("email_open"), schema("email_click")]
    for number in range(10_000):
        stream = "email_click" if number % 2 else "email_open"
        messages.append(record(number, stream, recipient=f"user-{number}@example.com"))
    loader.load([*messages, state(1)])
    stats = sandbox.amplitude_stats()
    assert sum(sandbox.amplitude_counts().values()) == 10_000
    assert 5 <= stats["requests"] <= 9


@pytest.mark.parametrize("allowed", [1, 3])
def test_as_many_requests_travel_side_by_side_as_are_allowed(
    sandbox: Sandbox, loader: Loader, allowed: int
) -> None:
    sandbox.set_latency(amplitude=0.1)
    states = loader.load(run_of(900), batch_size_rows=50, max_concurrent_requests=allowed)
    assert numbers(states)[-1] == 900
    assert sandbox.amplitude_stats()["most_in_flight"] == allowed


def test_one_users_events_arrive_in_order(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault("amplitude", action="answer", status=503, probability=0.2)
    loader.load(run_of(2000), batch_size_rows=20, max_retries=100)
    by_user: dict[str, list[int]] = {}
    for each in sandbox.amplitude_events():
        number = int(each["event_properties"]["id"].removeprefix("event-"))
        by_user.setdefault(each["user_id"], []).append(number)
    assert len(by_user) == 50
    assert all(order == sorted(order) for order in by_user.values())


def test_what_a_state_waits_for_is_sent_after_a_while_and_nothing_else(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    add(delivery, event(1))
    assert not amplitude.asked.wait(0.3)
    begun = time.monotonic()
    add(delivery, state=b"{}")
    assert amplitude.asked.wait(5)
    assert 0.1 <= time.monotonic() - begun < 1.0


def test_a_thread_that_sends_leaves_another_to_see_when_partial_batches_are_due(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    amplitude.may_answer.clear()
    add(delivery, *map(event, range(40)))
    assert amplitude.asked.wait(5)
    amplitude.may_answer_some.release()
    # Two threads wait for their answers, while the third sees to what the state waits for.
    add(delivery, state=b"{}")
    amplitude.may_answer.set()
    assert within(5, lambda: sum(amplitude.sent) == 40)


def test_when_every_event_is_refused_the_last_answer_is_told(
    delivery: Delivery, amplitude: Amplitude
) -> None:
    words = ["first", "first", "second", "third", "fourth"]
    amplitude.answers = [Answer(403, json.dumps({"error": each}).encode()) for each in words]
    add(delivery, event(1), event(2), event(3))
    with pytest.raises(RunFailedError) as caught:
        delivery.finish()
    assert str(caught.value) == (
        "api2.amplitude.com refuses every event (fourth), so none of them is taken for a bad one "
        "and no state covers them; check api_url, and whether a proxy or firewall stands between."
    )


def test_a_run_that_was_interrupted_before_anything_was_accepted_has_not_failed(
    delivery: Delivery, amplitude: Amplitude, caplog: pytest.LogCaptureFixture
) -> None:
    amplitude.answers = [Answer(403)]
    add(delivery, event(1))
    delivery.interrupt(15)
    delivery.finish()
    assert "Not everything could be delivered in time" in caplog.text


def test_a_failure_wakes_the_reader_and_meets_it_at_its_next_step(
    delivery: Delivery, amplitude: Amplitude, woken: list[str]
) -> None:
    amplitude.answers = [Answer(401)]
    add(delivery, event(1))
    with pytest.raises(RunFailedError, match="does not know this API key"):
        delivery.finish()
    assert within(5, lambda: woken == ["woken"])
    with pytest.raises(RunFailedError, match="API key"):
        add(delivery, event(2))
    with pytest.raises(RunFailedError, match="API key"):
        add(delivery, state=b"{}")


def test_a_thread_that_breaks_down_fails_the_run(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object, __: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Transport, "post", breaks)
    add(delivery, event(1))
    with pytest.raises(RunFailedError) as caught:
        delivery.finish()
    assert str(caught.value) == "A sending thread broke down (ZeroDivisionError); run it again."


@pytest.mark.parametrize("stdout", [None, "closed"])
def test_where_the_state_cannot_be_written_the_run_never_ends_well(
    delivery: Delivery,
    coordinator: Coordinator,
    monkeypatch: pytest.MonkeyPatch,
    stdout: str | None,
) -> None:
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed if stdout else None)
    monkeypatch.setattr(coordinator, "_write_state", write_state)
    add(delivery, *map(event, range(20)), state=b"{}")
    with pytest.raises(RunFailedError, match="standard output is closed"):
        delivery.finish()


class TestWaiting:
    """A hundred bytes of events may wait."""

    @pytest.fixture(autouse=True)
    def _limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_MAX_MEMORY", 100)

    def test_the_reader_waits_while_too_much_does(
        self, delivery: Delivery, amplitude: Amplitude, coordinator: Coordinator
    ) -> None:
        amplitude.may_answer.clear()
        thread = in_background(delivery, *(event(number, 30) for number in range(50)))
        assert amplitude.asked.wait(5)
        thread.join(0.3)
        assert thread.is_alive()
        amplitude.may_answer.set()
        assert in_time(thread)
        assert coordinator.queue.memory <= 100

    def test_a_batch_that_is_not_full_is_sent_where_it_alone_is_too_much(
        self, delivery: Delivery, amplitude: Amplitude
    ) -> None:
        assert in_time(in_background(delivery, event(1, 101)))
        assert amplitude.sent == [1]

    def test_as_much_as_may_wait_waits(self, delivery: Delivery, amplitude: Amplitude) -> None:
        amplitude.may_answer.clear()
        assert in_time(in_background(delivery, event(1, 100)))

    def test_an_interrupt_lets_the_reader_go(
        self, delivery: Delivery, amplitude: Amplitude, coordinator: Coordinator
    ) -> None:
        amplitude.may_answer.clear()
        thread = in_background(delivery, event(1, 101))
        assert amplitude.asked.wait(5)
        delivery.interrupt(15)
        assert in_time(thread)
        assert coordinator.queue.memory == 101


@pytest.mark.parametrize(("seconds", "is_delivered"), [(20.0, True), (0.2, False)])
def test_an_interrupted_end_delivers_what_it_can_in_its_time(  # noqa: PLR0913 - two are the case
    delivery: Delivery,
    amplitude: Amplitude,
    states: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    *,
    is_delivered: bool,
) -> None:
    monkeypatch.setattr(delivery, "_delays", Delays(termination=seconds))
    amplitude.may_answer.clear()
    add(delivery, event(1), state=b"{}")
    delivery.interrupt(15)
    threading.Timer(0.6, amplitude.may_answer.set).start()
    begun = time.monotonic()
    delivery.finish()
    assert (states == [b"{}"]) is is_delivered
    assert min(seconds, 0.5) <= time.monotonic() - begun < 5


class TestClosing:
    def test_after_a_failure_a_request_in_flight_is_waited_for(
        self, delivery: Delivery, amplitude: Amplitude, coordinator: Coordinator
    ) -> None:
        amplitude.may_answer.clear()
        add(delivery, *map(event, range(20)))
        assert amplitude.asked.wait(5)
        with coordinator.changed:
            coordinator.fail(RunFailedError("another thread's"))
        threading.Timer(0.3, amplitude.may_answer.set).start()
        delivery.close()
        assert coordinator.accepted >= 5

    @pytest.mark.parametrize("has_failed", [True, False])
    def test_but_not_for_long(
        self,
        delivery: Delivery,
        amplitude: Amplitude,
        coordinator: Coordinator,
        monkeypatch: pytest.MonkeyPatch,
        *,
        has_failed: bool,
    ) -> None:
        monkeypatch.setattr(module, "_IN_FLIGHT_SECONDS", 0.2)
        amplitude.may_answer.clear()
        add(delivery, *map(event, range(20)))
        assert amplitude.asked.wait(5)
        coordinator.failure = RunFailedError("another thread's") if has_failed else None
        begun = time.monotonic()
        delivery.close()
        least = 0.2 if has_failed else 0.0
        assert least <= time.monotonic() - begun < least + 0.6

    def test_nothing_is_sent_afterwards(self, delivery: Delivery, amplitude: Amplitude) -> None:
        add(delivery, *map(event, range(5)))
        delivery.finish()
        delivery.close()
        threads = delivery._threads  # noqa: SLF001 - what the promise is about
        assert 1 <= len(threads) <= 3
        # One that gets no answer does not keep the process from ending.
        assert all(thread.daemon for thread in threads)
        assert all(map(in_time, threads))
        assert sum(amplitude.sent) == 5
