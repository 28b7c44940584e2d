"""What the coordinator settles, writes and counts, and in which order."""

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
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Coordinator]

KEY = "key-of-the-project"
OPENS = StreamCounts("email_open", 0.0)


def event(number: int, counts: StreamCounts = OPENS) -> QueuedEvent:
    return QueuedEvent(b'{"n":%d}' % number, line_of(number), counts, f"user-{number}")


def line_of(number: int) -> bytes:
    return json.dumps(record(number)).encode()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to the disk, in order."""
    done: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: done.append("sync"))
    return done


@pytest.fixture
def make(tmp_path: Path, log: list[str]) -> Make:
    def made(
        write_state: Callable[[bytes], None] | None = None, delays: Delays | None = None
    ) -> Coordinator:
        return Coordinator(
            read_settings({"api_key": KEY}),
            RejectsFile(tmp_path / "rejects"),
            write_state or (lambda state: log.append(state.decode())),
            delays or Delays(),
        )

    return made


def add(coordinator: Coordinator, *events: QueuedEvent, state: bytes | None = None) -> None:
    coordinator.add(Block(events=list(events), state=state))


def rejects(tmp_path: Path) -> str:
    return (tmp_path / "rejects").read_text()


def test_rejects_are_on_the_disk_before_the_state_that_relies_on_them(
    make: Make, log: list[str], tmp_path: Path
) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1), event(2), state=b"a")
        coordinator.reject([(event(1), "invalid time")], "refused by Amplitude", f"bad {KEY}")
        assert log == []
        assert '"invalid time"' in rejects(tmp_path)
        coordinator.accept([event(2)])
    assert log == ["sync", "a"]
    assert KEY not in rejects(tmp_path)
    assert "bad <api_key>" in rejects(tmp_path)
    assert coordinator.queue.pending == 0


def test_what_cannot_be_synced_moves_no_state(
    make: Make, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(5, "Input/output error")

    coordinator = make()
    monkeypatch.setattr(os, "fsync", fails)
    with coordinator.changed:
        add(coordinator, event(1), state=b"a")
        with pytest.raises(RunFailedError, match="Input/output error"):
            coordinator.reject([(event(1), "")], "too large", "")
    assert log == []
    assert coordinator.failure is not None


def test_a_refused_key_moves_no_state(make: Make, log: list[str]) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1), state=b"a")
        coordinator.failure = RefusedKeyError("wrong key")
        coordinator.accept([event(1)])
    assert log == []


def test_another_failure_lets_the_true_state_be_written(make: Make, log: list[str]) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1), state=b"a")
        coordinator.failure = RunFailedError("too many retries")
        coordinator.accept([event(1)])
    assert log == ["a"]


def test_requests_bytes_and_retries_are_counted_by_stream(make: Make) -> None:
    coordinator = make()
    opens, clicks = StreamCounts("email_open", 0.0), StreamCounts("email_click", 0.0)
    events = [event(1, counts=opens), event(22, counts=clicks), event(3, counts=opens)]
    with coordinator.changed:
        coordinator.count_request(events, 100)
        coordinator.count_request(events[:1], 30)
        coordinator.count_retry(events)
    assert (coordinator.requests, coordinator.sent_bytes) == (2, 130)
    assert (opens.requests, opens.sent_bytes, opens.retried) == (2, 21, 2)
    assert (clicks.requests, clicks.sent_bytes, clicks.retried) == (1, 8, 1)


def test_accepted_events_are_counted_by_stream_and_let_true_states_be_written(
    make: Make, log: list[str]
) -> None:
    coordinator = make()
    clicks, opens = StreamCounts("email_click", 0.0), StreamCounts("email_open", 0.0)
    events = [event(1, counts=opens), event(2, counts=clicks), event(3, counts=opens)]
    with coordinator.changed:
        add(coordinator, *events[:2], state=b"a")
        add(coordinator, events[2], state=b"b")
        coordinator.accept([events[2], events[0]])
        assert log == []
        coordinator.accept([events[1]])
    assert log == ["b"]
    assert (opens.delivered, clicks.delivered, coordinator.accepted) == (2, 1, 3)
    assert opens.ended > 0


@pytest.mark.parametrize("error", [RunFailedError("closed"), AttributeError("x"), KeyError("x")])
def test_whatever_is_raised_while_a_state_is_written_fails_the_run_under_the_same_lock(
    make: Make, error: Exception
) -> None:
    def fails(_: bytes) -> None:
        raise error

    coordinator = make(fails)
    with coordinator.changed:
        add(coordinator, event(1), state=b"{}")
        with pytest.raises(RunFailedError):
            coordinator.accept([event(1)])
        # Nothing is pending, so only the failure tells that this is no success.
        assert coordinator.queue.pending == 0
        with pytest.raises(RunFailedError):
            coordinator.raise_failure()
        first = coordinator.failure
        coordinator.fail(RunFailedError("another"))
        assert coordinator.failure is first


def test_rejects_of_the_reader_are_on_the_disk_before_the_state(
    make: Make, log: list[str], tmp_path: Path
) -> None:
    coordinator = make()
    with coordinator.changed:
        coordinator.add(Block(rejects=[Reject(line_of(1), "no user")], skipped=2, state=b"a"))
        coordinator.add(Block(skipped=1, state=b"b"))
    assert log == ["sync", "a", "b"]
    assert "no user" in rejects(tmp_path)


def test_what_was_refused_alone_is_rejected_once_something_is_accepted(
    make: Make, tmp_path: Path, log: list[str]
) -> None:
    first, second, third = (event(number) for number in range(3))
    coordinator = make()
    with coordinator.changed:
        add(coordinator, first, second, third, state=b"a")
        coordinator.refuse_alone(first, "too large", "413")
        coordinator.refuse_alone(second, "too large", "413")
        assert (rejects(tmp_path), coordinator.queue.pending, log) == ("", 3, [])
        assert not coordinator.is_all_refused
        coordinator.accept([third])
    assert rejects(tmp_path).count('"too large"') == 2
    assert log == ["sync", "a"]


def test_when_all_that_is_left_was_refused_alone_it_is_known(make: Make) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1))
        assert not coordinator.is_all_refused
        coordinator.refuse_alone(event(1), "too large", "413")
        assert coordinator.is_all_refused
