"""What the books say once something in them has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_amplitude.delays import Timing
from target_amplitude.delivery.coordinator import Books
from target_amplitude.delivery.queue import Item
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history.counts import StreamTally
from target_amplitude.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path


def nobody_reads(state: bytes) -> None:
    del state
    raise RunFailedError("State cannot be written.")


def test_a_state_that_cannot_be_written_fails_the_run_before_anybody_finds_all_delivered(
    tmp_path: Path,
) -> None:
    books = Books(
        read_settings({"api_key": "k"}), RejectsFile(tmp_path / "aside"), nobody_reads, Timing()
    )
    items = [Item(b"{}", b"{}", 4, StreamTally("email_open", 0.0), 0, "user-1")]
    with books.changed:
        books.ledger.open(1)
        books.lanes.put(items)
        books.ledger.close(b"{}")
        with pytest.raises(RunFailedError):
            books.accept(items)
        assert books.lanes.held == 0
        with pytest.raises(RunFailedError):
            books.raise_failure()
