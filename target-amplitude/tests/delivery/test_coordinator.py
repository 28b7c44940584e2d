"""What the coordinator does once something has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_amplitude.delays import Delays
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.queued_event import QueuedEvent
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history.counts import StreamCounts
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path


def nobody_reads(state: bytes) -> None:
    del state
    raise RunFailedError("State cannot be written.")


def test_a_state_that_cannot_be_written_fails_the_run_before_anybody_finds_all_delivered(
    tmp_path: Path,
) -> None:
    coordinator = Coordinator(
        read_settings({"api_key": "k"}), RejectsFile(tmp_path / "rejects"), nobody_reads, Delays()
    )
    events = [QueuedEvent(b"{}", b"{}", 4, StreamCounts("email_open", 0.0), 0, "user-1")]
    with coordinator.changed:
        coordinator.checkpoints.open(1)
        coordinator.queue.put(events)
        coordinator.checkpoints.close(b"{}")
        with pytest.raises(RunFailedError):
            coordinator.accept(events)
        assert coordinator.queue.pending == 0
        with pytest.raises(RunFailedError):
            coordinator.raise_failure()
