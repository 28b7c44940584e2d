"""One sender on its own: the answers it gets, and what it sends."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from target_amplitude.amplitude.answers import Answer
from target_amplitude.amplitude.delays import Delays
from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery.block import Block, QueuedEvent
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.queue import Batch
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.delivery.sender import Sender
from target_amplitude.history.counts import StreamCounts
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from target_amplitude.amplitude.answers import NoAnswer

SOON = Delays(first_retry=0.001, longest_retry=0.001, throttle={"batch": 20.0, "httpapi": 30.0})
ACCEPTED = Answer(200, b'{"code": 200}')
HALVE = Answer(413)


class Scene:
    """One sender, the answers it gets, and the ids of the events of each request it made."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.sent: list[str] = []
        self.answers: list[Answer | NoAnswer] = []
        self.states: list[bytes] = []
        self.counts = StreamCounts("email_open", 0.0)
        self.rejects = folder / "rejects"
        made = read_settings({"api_key": "k"} | settings)
        self.coordinator = Coordinator(made, RejectsFile(self.rejects), self.states.append, SOON)
        monkeypatch.setattr(Transport, "post", lambda _, bodies: self.post(bodies))
        self.sender = Sender(made, self.coordinator, SOON)

    def post(self, bodies: Sequence[bytes]) -> tuple[Answer | NoAnswer, int]:
        self.sent.append("".join(json.loads(body)["n"] for body in bodies))
        return (self.answers.pop(0) if self.answers else ACCEPTED), 10

    def deliver(self, events: str, *answers: Answer | NoAnswer, devices: str = "") -> list[str]:
        """Deliver events such as `ab1b2`, of the users A and B."""
        self.answers = list(answers)
        made = [
            QueuedEvent(
                json.dumps({"n": name}).encode(),
                json.dumps(
                    {"type": "RECORD", "stream": "email_open", "record": {"id": name}}
                ).encode(),
                self.counts,
                name[0].upper(),
                f"device-{name}" if name in devices else "",
            )
            for name in re.findall(r"[a-z]\d*", events)
        ]
        self.counts.read += len(made)
        with self.coordinator.changed:
            self.coordinator.add(Block(events=made))
        self.sender.deliver(Batch(made))
        return self.sent

    def close(self) -> None:
        with self.coordinator.changed:
            self.coordinator.add(Block(state=b"state"))

    @property
    def held(self) -> dict[str, str]:
        """Events that wait, by user."""
        return {
            user: "".join(json.loads(each.body)["n"] for each in throttled.events)
            for user, throttled in self.coordinator.queue.throttled.items()
        }


def answer(status: int, retry_after: float | None = None, **body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), retry_after)
