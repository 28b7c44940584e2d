"""What the coordinator writes and counts, and in which order."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from loading.messages import record
from target_amplitude.amplitude.delays import Delays
from target_amplitude.delivery.block import Block, QueuedEvent, Reject
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RefusedKeyError, RunFailedError
from target_amplitude.history.counts import StreamCounts
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "key-of-the-project"
OPENS = StreamCounts("email_open", 0.0)


def event(number: int, counts: StreamCounts = OPENS) -> QueuedEvent:
    return QueuedEvent(b'{"n":%d}' % number, line_of(number), counts, f"user-{number}")


def line_of(number: int) -> bytes:
    return json.dumps(record(number)).encode()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced and written, in order."""
    done: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: done.append("sync"))
    return done


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rejects"


@pytest.fixture
def coordinator(path: Path, log: list[str]) -> Iterator[Coordinator]:
    made = Coordinator(
        read_settings({"api_key": KEY}),
        RejectsFile(path),
        lambda state: log.append(state.decode()),
        Delays(),
    )
    with made.changed:
        yield made


def test_rejects_are_on_the_disk_before_the_state_that_relies_on_them(
    coordinator: Coordinator, log: list[str], path: Path
) -> None:
    coordinator.add(Block(rejects=[Reject(line_of(1), "no user")], skipped=2, state=b"a"))
    assert log == ["sync", "a"]
    refused, accepted = event(2), event(3)
    coordinator.add(Block(events=[refused, accepted], state=b"b"))
    coordinator.reject([(refused, "invalid time")], "refused by Amplitude", f"bad {KEY}")
    assert log == ["sync", "a"]
    coordinator.accept([accepted])
    assert log == ["sync", "a", "sync", "b"]
    text = path.read_text()
    assert '"no user"' in text
    assert '"invalid time"' in text
    assert KEY not in text
    assert "bad <api_key>" in text


@pytest.mark.parametrize(
    ("failure", "states"), [(RefusedKeyError("wrong key"), []), (RunFailedError("other"), ["a"])]
)
def test_a_refused_key_moves_no_state_and_another_failure_the_true_one(
    coordinator: Coordinator, log: list[str], failure: RunFailedError, states: list[str]
) -> None:
    read = event(1)
    coordinator.add(Block(events=[read], state=b"a"))
    coordinator.failure = failure
    coordinator.accept([read])
    assert log == states


@pytest.mark.parametrize("step", ["fsync", "write"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyError("x")])
def test_what_cannot_be_written_moves_no_state_and_fails_the_run_under_the_same_lock(
    coordinator: Coordinator,
    log: list[str],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: Exception,
) -> None:
    def fails(_: object) -> None:
        raise error

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fails)
    else:
        monkeypatch.setattr(coordinator, "_write_state", fails)
    read = event(1)
    coordinator.add(Block(events=[read], state=b"a"))
    with pytest.raises(RunFailedError):
        coordinator.reject([(read, "")], "too large", "")
    assert "a" not in log
    # Nothing is pending, so only the failure tells that this is no success.
    assert coordinator.queue.pending == 0
    first = coordinator.failure
    coordinator.fail(RunFailedError("another"))
    with pytest.raises(RunFailedError) as caught:
        coordinator.raise_failure()
    assert caught.value is first


def test_requests_bytes_and_retries_are_counted_by_stream(coordinator: Coordinator) -> None:
    opens, clicks = StreamCounts("email_open", 0.0), StreamCounts("email_click", 0.0)
    events = [event(1, counts=opens), event(22, counts=clicks), event(3, counts=opens)]
    coordinator.count_request(events, 100)
    coordinator.count_request(events[:1], 30)
    coordinator.count_retry(events)
    assert (coordinator.requests, coordinator.sent_bytes) == (2, 130)
    assert (opens.requests, opens.sent_bytes, opens.retried) == (2, 21, 2)
    assert (clicks.requests, clicks.sent_bytes, clicks.retried) == (1, 8, 1)
