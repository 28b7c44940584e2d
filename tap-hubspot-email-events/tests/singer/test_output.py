"""What is written is there as a whole, whatever happens while it is written."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extracting.extractor import expected, key, parsed
from full_pipe import through_a_full_pipe
from tap_hubspot_email_events.singer.output import write_whole

if TYPE_CHECKING:
    from collections import Counter
    from typing import Any

    from extracting.extractor import Runner
    from sandbox.client import Sandbox

LINES = b"".join(b"%09d\n" % number for number in range(50_000))


class Slow:
    """Takes so many bytes of each write, in turn; with 0 it has no room at present."""

    def __init__(self, room: list[int]) -> None:
        self._room = itertools.cycle(room)
        self.taken = b""

    def write(self, data: memoryview) -> int | None:
        room = next(self._room)
        self.taken += bytes(data[:room])
        return min(room, len(data)) or None

    def flush(self) -> None:
        pass


@given(
    st.binary(max_size=300),
    st.lists(st.integers(0, 90), min_size=1, max_size=6).filter(any),
)
def test_all_of_it_is_written_however_little_is_taken_at_a_time(
    data: bytes, room: list[int]
) -> None:
    stream: Any = Slow(room)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("select.select", lambda *_: None)
        write_whole(stream, data)
    assert stream.taken == data


@pytest.mark.parametrize("buffered", [True, False])
def test_a_pipe_that_does_not_block_gets_all_of_it(*, buffered: bool) -> None:
    received = through_a_full_pipe(lambda stream: write_whole(stream, LINES), buffered=buffered)
    assert received == LINES


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_tap_that_was_stopped_and_continued_leaves_nothing_out(
    sandbox: Sandbox, tap: Runner, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    sandbox.generate(events=5000, days=20)
    _, *arguments = tap.command(start_date="2020-01-01T00:00:00Z", page_size=1000)
    command = [sys.executable, "-m", "tap_hubspot_email_events", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = os.read(process.stdout.fileno(), 100)
        for _ in range(5):
            # By now it waits for the pipe to be read.
            time.sleep(0.3)
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.05)
            process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    records = [each["record"] for each in parsed(first + output) if each["type"] == "RECORD"]
    written: Counter[tuple[str, str]] = expected(sandbox)
    assert sorted(map(key, records)) == sorted(written.elements())
