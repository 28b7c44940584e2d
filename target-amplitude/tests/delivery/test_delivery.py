"""Batches and threads: when the reader waits, when the run fails, when it ends."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import OPEN, numbers, record, run_of, schema, state
from target_amplitude.amplitude.answers import Answer
from target_amplitude.amplitude.delays import Delays
from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery import delivery as module
from target_amplitude.delivery.block import Block, QueuedEvent
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.delivery import Delivery
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history.counts import StreamCounts
from target_amplitude.lookup_table.upload import CampaignUpload
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox

DELAYS = Delays(first_retry=0.001, longest_retry=0.001, partial_batch=0.1, termination=20.0)
SETTINGS = read_settings({"api_key": "k", "max_concurrent_requests": 3, "batch_size_rows": 5})
COUNTS = StreamCounts("email_open", 0.0)


class Amplitude:
    """Answers as told, once it is let go."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()
        # How many may be answered before.
        self.may_answer_some = threading.Semaphore(0)
        self.asked = threading.Event()
        self.answer = Answer(200, b'{"code": 200}')
        self.sent: list[int] = []

    def post(self, bodies: Sequence[bytes]) -> tuple[Answer, int]:
        self.sent.append(len(bodies))
        self.asked.set()
        within(20, lambda: self.may_answer.is_set() or self.may_answer_some.acquire(blocking=False))
        return self.answer, 1


@pytest.fixture
def amplitude(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amplitude]:
    made = Amplitude()
    monkeypatch.setattr(Transport, "post", lambda _, bodies: made.post(bodies))
    yield made
    made.may_answer.set()


@pytest.fixture
def woken() -> threading.Event:
    return threading.Event()


@pytest.fixture
def states() -> list[bytes]:
    return []


@pytest.fixture
def coordinator(tmp_path: Path, states: list[bytes]) -> Coordinator:
    return Coordinator(SETTINGS, RejectsFile(tmp_path / "rejects"), states.append, DELAYS)


@pytest.fixture
def delivery(
    tmp_path: Path, coordinator: Coordinator, amplitude: Amplitude, woken: threading.Event
) -> Iterator[Delivery]:
    del amplitude
    rejects = RejectsFile(tmp_path / "rejects")
    campaigns = CampaignUpload(SETTINGS, coordinator, rejects, DELAYS, lambda: False)
    made = Delivery(SETTINGS, coordinator, campaigns, DELAYS, woken.set)
    yield made
    made.close()


def event(number: int, memory: int = 10) -> QueuedEvent:
    """An event of a user of its own, that with its line takes so many bytes."""
    body = json.dumps({"n": number}).encode()
    return QueuedEvent(body, b"x" * (memory - len(body)), COUNTS, f"user-{number}")


def add(delivery: Delivery, *events: QueuedEvent, state: bytes | None = None) -> None:
    delivery.add(Block(events=list(events), state=state))


def in_background(delivery: Delivery, *events: QueuedEvent) -> threading.Thread:
    thread = threading.Thread(target=add, args=(delivery, *events), daemon=True)
    thread.start()
    return thread


def in_time(thread: threading.Thread) -> bool:
    thread.join(5)
    return not thread.is_alive()


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    """Whether something becomes so in that time."""
    deadline = time.monotonic() + seconds
    while not (so := is_so()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return so


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


def test_a_run_that_was_interrupted_before_anything_was_accepted_has_not_failed(
    delivery: Delivery, amplitude: Amplitude, caplog: pytest.LogCaptureFixture
) -> None:
    amplitude.answer = Answer(403)
    add(delivery, event(1))
    delivery.interrupt(15)
    delivery.finish()
    assert "Not everything could be delivered in time" in caplog.text


def test_a_failure_wakes_the_reader_and_meets_it_at_its_next_step(
    delivery: Delivery, amplitude: Amplitude, woken: threading.Event
) -> None:
    amplitude.answer = Answer(401)
    add(delivery, event(1))
    with pytest.raises(RunFailedError, match="does not know this API key"):
        delivery.finish()
    assert woken.wait(5)
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


@pytest.mark.parametrize(
    ("has_failed", "is_answered", "least"),
    [(True, True, 0.1), (True, False, 1.0), (False, False, 0.0)],
)
def test_after_a_failure_closing_waits_for_what_is_in_flight_but_not_for_long(  # noqa: PLR0913 - three are a case
    delivery: Delivery,
    amplitude: Amplitude,
    coordinator: Coordinator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    has_failed: bool,
    is_answered: bool,
    least: float,
) -> None:
    monkeypatch.setattr(module, "_IN_FLIGHT_SECONDS", 1.0)
    amplitude.may_answer.clear()
    add(delivery, *map(event, range(20)))
    assert amplitude.asked.wait(5)
    if has_failed:
        coordinator.failure = RunFailedError("another thread's")
    if is_answered:
        threading.Timer(0.1, amplitude.may_answer.set).start()
    begun = time.monotonic()
    delivery.close()
    assert least <= time.monotonic() - begun < least + 0.9
    assert (coordinator.accepted > 0) is is_answered


def test_nothing_is_sent_afterwards(delivery: Delivery, amplitude: Amplitude) -> None:
    add(delivery, *map(event, range(5)))
    delivery.finish()
    delivery.close()
    threads = delivery._threads  # noqa: SLF001 - what the promise is about
    assert 1 <= len(threads) <= 3
    # One that gets no answer does not keep the process from ending.
    assert all(thread.daemon for thread in threads)
    assert all(map(in_time, threads))
    assert sum(amplitude.sent) == 5
