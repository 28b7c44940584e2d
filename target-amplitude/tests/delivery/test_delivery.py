from __future__ import annotations

from threading import Timer
from typing import TYPE_CHECKING, Any

from loading.messages import OPEN, numbers, record, run_of, schema, state
from target_amplitude.delays import Delays
from target_amplitude.delivery.delivery import Delivery
from target_amplitude.delivery.queued_event import QueuedEvent
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.history.counts import StreamCounts
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox


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


def test_one_users_events_arrive_in_order(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault("amplitude", action="answer", status=503, probability=0.2)
    loader.load(run_of(2000), batch_size_rows=20, max_retries=100)
    by_user: dict[str, list[int]] = {}
    for event in sandbox.amplitude_events():
        number = int(event["event_properties"]["id"].removeprefix("event-"))
        by_user.setdefault(event["user_id"], []).append(number)
    assert len(by_user) == 50
    assert all(order == sorted(order) for order in by_user.values())


def test_an_interrupted_end_does_not_wait_for_ever(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    sandbox.add_fault("amplitude", action="answer", status=503)
    states: list[bytes] = []
    delivery = Delivery(
        read_settings(loader.config | {"max_retries": 1000}),
        RejectsFile(tmp_path / "rejects"),
        states.append,
        Delays(first_retry=0.05, longest_retry=0.05, termination=0.3),
    )
    counts = StreamCounts("email_open", 0.0)
    delivery.add([QueuedEvent(b'{"event_type":"x"}', b"{}", 20, counts, 0, "user-1")], [], 0, 1)
    delivery.close_checkpoint(b"{}")
    Timer(0.2, delivery.interrupt).start()
    assert delivery.finish() is False
    delivery.stop(5)
    assert states == []


def test_an_interrupted_end_delivers_what_it_can_in_its_time(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    sandbox.set_latency(amplitude=0.3)
    states: list[bytes] = []
    delivery = Delivery(
        read_settings(loader.config),
        RejectsFile(tmp_path / "rejects"),
        states.append,
        Delays(termination=30.0),
    )
    counts = StreamCounts("email_open", 0.0)
    event = b'{"event_type":"x","user_id":"user-1","insert_id":"1"}'
    delivery.add([QueuedEvent(event, b"{}", 20, counts, 0, "user-1")], [], 0, 1)
    delivery.close_checkpoint(b"{}")
    delivery.interrupt()
    assert delivery.finish() is True
    delivery.stop(5)
    assert states == [b"{}"]
