"""The reader's side of delivery: when it waits, when it fails, when it ends."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from loading.threads import add, event, in_background, in_time
from target_amplitude.amplitude.answers import Answer
from target_amplitude.amplitude.transport import Transport
from target_amplitude.delays import Delays
from target_amplitude.delivery import delivery as module
from target_amplitude.delivery.backpressure import Backpressure
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from loading.threads import Amplitude
    from target_amplitude.delivery.delivery import Delivery


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
    delivery: Delivery, amplitude: Amplitude
) -> None:
    amplitude.answers = [Answer(403)]
    add(delivery, event(1))
    delivery.interrupt()
    assert delivery.finish() is False
    assert delivery.coordinator.failure is None


def test_a_failure_wakes_the_reader_and_meets_it_at_its_next_step(
    delivery: Delivery, amplitude: Amplitude, woken: list[str]
) -> None:
    amplitude.answers = [Answer(401)]
    add(delivery, event(1))
    with pytest.raises(RunFailedError, match="does not know this API key"):
        delivery.finish()
    deadline = time.monotonic() + 5
    while not woken and time.monotonic() < deadline:
        time.sleep(0.01)
    assert woken == ["woken"]
    with pytest.raises(RunFailedError, match="API key"):
        add(delivery, event(2))
    with pytest.raises(RunFailedError, match="API key"):
        delivery.close_checkpoint(b"{}")


def test_a_thread_that_breaks_down_fails_the_run(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object, __: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Transport, "post", breaks)
    add(delivery, event(1))
    with pytest.raises(RunFailedError) as caught:
        delivery.finish()
    assert str(caught.value) == "A sending thread broke down with ZeroDivisionError; run it again."


class TestWaiting:
    """Of what one request at a time may have waiting there are ten bytes, of all a hundred."""

    @pytest.fixture(autouse=True)
    def _limits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_MAX_MEMORY_UNSPLIT", 10)
        monkeypatch.setattr(module, "_MAX_MEMORY", 100)
        monkeypatch.setattr(Backpressure, "is_high", lambda *_: False)

    def test_the_reader_waits_while_too_much_does(
        self, delivery: Delivery, amplitude: Amplitude
    ) -> None:
        amplitude.may_answer.clear()
        thread = in_background(delivery, *(event(number, 3) for number in range(5)))
        assert amplitude.asked.wait(5)
        thread.join(0.3)
        assert thread.is_alive()
        amplitude.may_answer.set()
        assert in_time(thread)
        assert delivery.coordinator.queue.memory <= 10

    def test_a_batch_that_is_not_full_is_sent_where_it_alone_is_too_much(
        self, delivery: Delivery, amplitude: Amplitude
    ) -> None:
        assert in_time(in_background(delivery, event(1, 11)))
        assert amplitude.sent == [1]

    def test_as_much_as_may_wait_waits(self, delivery: Delivery, amplitude: Amplitude) -> None:
        amplitude.may_answer.clear()
        assert in_time(in_background(delivery, event(1, 10)))

    def test_more_may_wait_once_several_requests_travel(
        self, delivery: Delivery, amplitude: Amplitude
    ) -> None:
        amplitude.may_answer.clear()
        delivery.coordinator.queue.split()
        assert in_time(in_background(delivery, event(1, 100)))
        thread = in_background(delivery, event(2, 1))
        thread.join(0.3)
        assert thread.is_alive()

    def test_an_interrupt_lets_the_reader_go(
        self, delivery: Delivery, amplitude: Amplitude
    ) -> None:
        amplitude.may_answer.clear()
        thread = in_background(delivery, event(1, 11))
        assert amplitude.asked.wait(5)
        delivery.interrupt()
        assert in_time(thread)
        assert delivery.coordinator.queue.memory == 11


def test_there_are_as_many_threads_as_requests_may_travel(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backpressure, "is_high", lambda *_: False)
    add(delivery, event(1))
    add(delivery, event(2))
    assert len(delivery._threads) == 1  # noqa: SLF001 - what the promise is about
    delivery.coordinator.queue.split()
    add(delivery, event(3))
    threads = delivery._threads  # noqa: SLF001
    assert [thread.name for thread in threads] == ["sender-0", "sender-1", "sender-2"]
    # One that gets no answer does not keep the process from ending.
    assert all(thread.daemon for thread in threads)


def test_whoever_waits_too_long_lets_all_requests_travel_where_there_are_batches_for_them(
    delivery: Delivery, amplitude: Amplitude, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backpressure, "is_high", lambda *_: True)
    amplitude.may_answer.clear()
    add(delivery, *map(event, range(20)))
    ended = threading.Thread(target=delivery.finish, daemon=True)
    ended.start()
    ended.join(0.5)
    assert delivery.coordinator.queue.partition_count == 3
    amplitude.may_answer.set()
    assert in_time(ended)
    assert delivery.coordinator.accepted == 20


def test_one_batch_alone_needs_no_more(
    delivery: Delivery, amplitude: Amplitude, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backpressure, "is_high", lambda *_: True)
    threading.Timer(0.3, amplitude.may_answer.set).start()
    amplitude.may_answer.clear()
    add(delivery, event(1))
    assert delivery.finish() is True
    assert delivery.coordinator.queue.partition_count == 1


def test_an_interrupted_end_delivers_what_it_can(delivery: Delivery, amplitude: Amplitude) -> None:
    amplitude.may_answer.clear()
    add(delivery, event(1))
    delivery.interrupt()
    threading.Timer(0.3, amplitude.may_answer.set).start()
    assert delivery.finish() is True


def test_but_only_in_its_time(
    delivery: Delivery, amplitude: Amplitude, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_delays", Delays(termination=0.2))
    amplitude.may_answer.clear()
    add(delivery, event(1))
    delivery.interrupt()
    begun = time.monotonic()
    assert delivery.finish() is False
    assert 0.2 <= time.monotonic() - begun < 5


class TestStopping:
    def test_a_request_in_flight_is_waited_for(
        self, delivery: Delivery, amplitude: Amplitude
    ) -> None:
        amplitude.may_answer.clear()
        add(delivery, *map(event, range(5)))
        assert amplitude.asked.wait(5)
        threading.Timer(0.3, amplitude.may_answer.set).start()
        delivery.stop(10)
        assert delivery.coordinator.accepted == 5

    @pytest.mark.parametrize("seconds", [None, 0.2])
    def test_but_for_no_longer_than_is_said(
        self, delivery: Delivery, amplitude: Amplitude, seconds: float | None
    ) -> None:
        amplitude.may_answer.clear()
        add(delivery, *map(event, range(5)))
        assert amplitude.asked.wait(5)
        begun = time.monotonic()
        if seconds is None:
            delivery.stop()
        else:
            delivery.stop(seconds)
        least = seconds or 0.0
        assert least <= time.monotonic() - begun < least + 0.6

    def test_nothing_is_sent_afterwards(self, delivery: Delivery, amplitude: Amplitude) -> None:
        add(delivery, *map(event, range(5)))
        assert delivery.finish() is True
        delivery.stop()
        for thread in delivery._threads:  # noqa: SLF001 - what the promise is about
            assert in_time(thread)
        assert amplitude.sent == [5]
