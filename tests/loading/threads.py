"""The threads of a delivery, with an Amplitude that answers when a test lets it."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

from target_amplitude.amplitude.answers import Answer
from target_amplitude.delivery.block import Block, QueuedEvent
from target_amplitude.history.counts import StreamCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_amplitude.amplitude.answers import NoAnswer
    from target_amplitude.delivery.delivery import Delivery

ACCEPTED = Answer(200, b'{"code": 200}')
COUNTS = StreamCounts("email_open", 0.0)


class Amplitude:
    """Answers as told, once it is let go."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()
        # How many may be answered before.
        self.may_answer_some = threading.Semaphore(0)
        self.asked = threading.Event()
        self.answers: list[Answer | NoAnswer] = []
        self.sent: list[int] = []

    def post(self, bodies: Sequence[bytes]) -> tuple[Answer | NoAnswer, int]:
        self.sent.append(len(bodies))
        self.asked.set()
        within(20, lambda: self.may_answer.is_set() or self.may_answer_some.acquire(blocking=False))
        return (self.answers.pop(0) if self.answers else ACCEPTED), 1


def event(number: int, memory: int = 10) -> QueuedEvent:
    """An event of a user of its own, that with its line takes so many bytes."""
    body = json.dumps({"n": number}).encode()
    return QueuedEvent(body, b"x" * (memory - len(body)), COUNTS, f"user-{number}")


def add(delivery: Delivery, *events: QueuedEvent, state: bytes | None = None) -> None:
    delivery.add(Block(events=list(events), state=state))


def in_time(thread: threading.Thread) -> bool:
    thread.join(5)
    return not thread.is_alive()


def in_background(delivery: Delivery, *events: QueuedEvent) -> threading.Thread:
    thread = threading.Thread(target=add, args=(delivery, *events), daemon=True)
    thread.start()
    return thread


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    """Whether something becomes so in that time."""
    deadline = time.monotonic() + seconds
    while not (so := is_so()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return so
