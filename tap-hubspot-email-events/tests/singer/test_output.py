"""What is written is there as a whole, whatever happens while it is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from extracting.extractor import expected, key, parsed

if TYPE_CHECKING:
    from collections import Counter

    from extracting.extractor import Runner
    from sandbox.client import Sandbox


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
