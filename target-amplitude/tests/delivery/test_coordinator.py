"""What the coordinator settles, writes and counts, and in which order."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from loading.messages import record
from target_amplitude.delays import Delays
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.queued_event import QueuedEvent
from target_amplitude.delivery.rejects import Reject, RejectsFile
from target_amplitude.delivery.throttling import FOREVER
from target_amplitude.errors import RefusedKeyError, RunFailedError
from target_amplitude.history.counts import StreamCounts
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Coordinator]

KEY = "key-of-the-project"
OPENS = StreamCounts("email_open", 0.0)


def event(
    number: int, checkpoint: int = 0, counts: StreamCounts = OPENS, memory: int = 4
) -> QueuedEvent:
    body, line = b'{"n":%d}' % number, line_of(number)
    return QueuedEvent(body, line, memory, counts, checkpoint, f"user-{number}")


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


def add(coordinator: Coordinator, *events: QueuedEvent) -> None:
    coordinator.checkpoints.open(len(events))
    coordinator.queue.put(list(events))


def rejects(tmp_path: Path) -> str:
    return (tmp_path / "rejects").read_text()


def nobody_reads(state: bytes) -> None:
    del state
    raise RunFailedError("State cannot be written.")


def test_a_state_that_cannot_be_written_fails_the_run_before_anybody_finds_all_delivered(
    make: Make,
) -> None:
    coordinator = make(nobody_reads)
    events = [event(1)]
    with coordinator.changed:
        add(coordinator, *events)
        coordinator.checkpoints.close(b"{}")
        with pytest.raises(RunFailedError):
            coordinator.accept(events)
        assert coordinator.queue.pending == 0
        with pytest.raises(RunFailedError, match="State cannot be written"):
            coordinator.raise_failure()


def test_the_first_failure_is_the_one_told(make: Make) -> None:
    coordinator = make(nobody_reads)
    coordinator.failure = first = RunFailedError("first")
    with coordinator.changed:
        add(coordinator, event(1))
        coordinator.checkpoints.close(b"{}")
        with pytest.raises(RunFailedError, match="State cannot be written"):
            coordinator.accept([event(1)])
    assert coordinator.failure is first


def test_accepted_events_are_counted_by_stream(make: Make) -> None:
    coordinator = make()
    clicks = StreamCounts("email_click", 0.0)
    opens = StreamCounts("email_open", 0.0)
    events = [event(1, counts=opens), event(2, counts=clicks), event(3, counts=opens)]
    with coordinator.changed:
        add(coordinator, *events, event(4))
        coordinator.accept(events[:1])
        coordinator.accept(events[1:])
    assert (opens.delivered, clicks.delivered, coordinator.accepted) == (2, 1, 3)
    assert (coordinator.queue.pending, coordinator.queue.memory) == (1, 4)
    assert coordinator.checkpoints.unsettled == 1
    assert opens.ended > 0


def test_states_are_written_as_they_become_true(make: Make, log: list[str]) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1), event(2))
        coordinator.checkpoints.close(b"a")
        add(coordinator, event(3, 1))
        coordinator.checkpoints.close(b"b")
        coordinator.accept([event(3, 1), event(1)])
        assert log == []
        coordinator.accept([event(2)])
    assert log == ["b"]


def test_rejects_are_on_the_disk_before_the_state_that_relies_on_them(
    make: Make, log: list[str], tmp_path: Path
) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1), event(2))
        coordinator.checkpoints.close(b"a")
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
        add(coordinator, event(1))
        coordinator.checkpoints.close(b"a")
        with pytest.raises(RunFailedError, match="Input/output error"):
            coordinator.reject([(event(1), "")], "too large", "")
    assert log == []
    assert coordinator.failure is not None


def test_nothing_refused_writes_nothing(make: Make, log: list[str], tmp_path: Path) -> None:
    coordinator = make()
    with coordinator.changed:
        coordinator.checkpoints.close(b"a")
        coordinator.reject([], "refused by Amplitude", "")
    assert (rejects(tmp_path), log) == ("", [])


def test_a_refused_key_moves_no_state(make: Make, log: list[str]) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1))
        coordinator.checkpoints.close(b"a")
        coordinator.failure = RefusedKeyError("wrong key")
        coordinator.accept([event(1)])
    assert log == []


def test_another_failure_lets_the_true_state_be_written(make: Make, log: list[str]) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1))
        coordinator.checkpoints.close(b"a")
        coordinator.failure = RunFailedError("too many retries")
        coordinator.accept([event(1)])
    assert log == ["a"]


def test_what_was_refused_alone_is_rejected_once_something_is_accepted(
    make: Make, tmp_path: Path
) -> None:
    counts = StreamCounts("email_open", 0.0)
    first, second, third = (event(number, counts=counts) for number in range(3))
    coordinator = make()
    with coordinator.changed:
        add(coordinator, first, second, third)
        assert not coordinator.has_only_suspects
        coordinator.refuse_alone(first, "too large", "413")
        assert (rejects(tmp_path), coordinator.queue.pending) == ("", 3)
        assert not coordinator.has_only_suspects
        coordinator.refuse_alone(second, "too large", "413")
        assert len(coordinator.suspects) == 2
        coordinator.accept([third])
        assert coordinator.suspects == []
        assert coordinator.queue.pending == 0
    assert counts.rejected == {"too large": 2}
    assert '"amplitude":"413"' in rejects(tmp_path)


def test_when_all_that_is_left_was_refused_alone_it_is_known(make: Make) -> None:
    coordinator = make()
    with coordinator.changed:
        assert not coordinator.has_only_suspects
        add(coordinator, event(1))
        coordinator.refuse_alone(event(1), "too large", "413")
        assert coordinator.has_only_suspects


def test_after_something_was_accepted_one_refused_alone_is_rejected_at_once(
    make: Make, tmp_path: Path
) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1), event(2))
        coordinator.accept([event(1)])
        coordinator.refuse_alone(event(2), "refused by Amplitude's filter", "403")
    assert "filter" in rejects(tmp_path)
    assert coordinator.suspects == []


def test_what_is_left_for_another_run_is_covered_by_no_state(make: Make, log: list[str]) -> None:
    coordinator = make()
    with coordinator.changed:
        add(coordinator, event(1), event(2), event(3))
        coordinator.checkpoints.close(b"a")
        coordinator.leave([event(1)])
        coordinator.leave([event(2)])
        coordinator.accept([event(3)])
    assert (coordinator.queue.pending, coordinator.exhausted_events) == (0, 2)
    assert log == []


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


def test_a_state_that_waits_sets_a_time_for_partial_batches(make: Make) -> None:
    coordinator = make(delays=Delays(partial_batch=7.0))
    with coordinator.changed:
        coordinator.write_true_state()
        assert coordinator.flush_at == FOREVER
        add(coordinator, event(1))
        coordinator.write_true_state()
        assert coordinator.flush_at == FOREVER
        coordinator.checkpoints.close(b"a")
        before = time.monotonic()
        coordinator.write_true_state()
        due = coordinator.flush_at
        assert before + 7.0 <= due <= time.monotonic() + 7.0
        coordinator.write_true_state()
        assert coordinator.flush_at == due
        coordinator.accept([event(1)])
        assert coordinator.flush_at == FOREVER


def test_a_new_run_has_settled_nothing(make: Make) -> None:
    coordinator = make()
    coordinator.raise_failure()
    assert coordinator.failure is None
    assert (coordinator.accepted, coordinator.requests, coordinator.sent_bytes) == (0, 0, 0)
    assert (coordinator.exhausted_events, coordinator.suspects) == (0, [])
    assert not coordinator.is_ended
    assert coordinator.flush_at == FOREVER
    coordinator.queue.split()
    assert (
        coordinator.queue.partition_count == read_settings({"api_key": KEY}).max_concurrent_requests
    )


def test_rejects_of_the_reader_are_synced_too(make: Make, log: list[str], tmp_path: Path) -> None:
    coordinator = make()
    file = coordinator._rejects  # noqa: SLF001 - written by the reader
    file.write([Reject(line_of(1), "no user")])
    with coordinator.changed:
        coordinator.checkpoints.close(b"a")
        coordinator.write_true_state()
        coordinator.checkpoints.close(b"b")
        coordinator.write_true_state()
    assert log == ["sync", "a", "b"]
    assert "no user" in rejects(tmp_path)
