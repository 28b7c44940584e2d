"""States and the job log's lines are written as a whole."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import pytest

from target_amplitude.errors import RunFailedError
from target_amplitude.history.job_log import JobLog, read_runs
from target_amplitude.run import write_state

if TYPE_CHECKING:
    from pathlib import Path

STATE = json.dumps({"bookmarks": {f"stream-{n}": "x" * 1000 for n in range(300)}}).encode()


@pytest.mark.parametrize("unbuffered", [True, False])
def test_a_state_larger_than_the_pipe_is_written_as_a_whole(*, unbuffered: bool) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    received: list[bytes] = []

    def read() -> None:
        time.sleep(0.2)
        while chunk := os.read(reader, 7777):
            received.append(chunk)

    thread = threading.Thread(target=read)
    thread.start()
    raw = io.FileIO(writer, "wb")
    binary = raw if unbuffered else io.BufferedWriter(raw)
    text = io.TextIOWrapper(binary, write_through=unbuffered)
    with redirect_stdout(text):
        write_state(STATE)
        write_state(b"{}")
    text.close()
    thread.join()
    os.close(reader)
    assert b"".join(received) == STATE + b"\n{}\n"


def test_what_only_takes_text_gets_text() -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        write_state(b'{"a": 1}')
    assert out.getvalue() == '{"a": 1}\n'


def test_where_nobody_reads_the_state_it_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as raw:
        text = io.TextIOWrapper(raw, write_through=True)
        monkeypatch.setattr(sys, "stdout", text)
        with pytest.raises(RunFailedError, match="State cannot be written"):
            write_state(b"{}")


def test_a_job_is_logged_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda to, data: write(to, data[:5]))
    log = JobLog(tmp_path / "jobs.jsonl")
    log.append({"outcome": "delivered"})
    log.append({"outcome": "stopped"})
    monkeypatch.undo()
    log.close()
    assert [run["outcome"] for run in read_runs(tmp_path / "jobs.jsonl")] == [
        "delivered",
        "stopped",
    ]
