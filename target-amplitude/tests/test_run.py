from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from loading.loader import COMMAND
from loading.messages import OPEN, numbers, record, run_of, schema
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox

PATIENCE = 30


class Process:
    """The target in a process of its own."""

    def __init__(self, config: Path) -> None:
        command = [COMMAND, "--config", str(config)]
        self.popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def write(self, messages: list[dict[str, Any]]) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(b"".join(json.dumps(m).encode() + b"\n" for m in messages))
        self.popen.stdin.flush()

    def end(self) -> tuple[int, list[int], str]:
        out, log = self.popen.communicate(timeout=PATIENCE)
        states = [json.loads(line) for line in out.splitlines()]
        numbers = [value["bookmarks"]["email_open"]["number"] for value in states]
        return self.popen.returncode, numbers, log.decode()


@pytest.fixture
def process(loader: Loader, tmp_path: Path) -> Iterator[Process]:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(loader.config | {"batch_size_rows": 20}))
    process = Process(config)
    yield process
    process.popen.kill()
    with suppress(BrokenPipeError):
        process.popen.communicate()


def wait_for(sandbox: Sandbox, events: int) -> None:
    until = time.monotonic() + PATIENCE
    while sum(sandbox.amplitude_counts().values()) < events:
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_delivers_what_was_read_and_writes_the_true_state(
    sandbox: Sandbox, process: Process, signum: signal.Signals
) -> None:
    process.write([*run_of(2500), record(2501)])
    wait_for(sandbox, 2430)
    os.kill(process.popen.pid, signum)
    code, numbers, log = process.end()
    assert code == 128 + signum
    assert numbers[-1] == 2500
    assert sandbox.amplitude_counts() == {OPEN: 2501}
    assert "Traceback" not in log


def test_a_refused_key_ends_the_run_while_the_tap_is_silent(
    sandbox: Sandbox, process: Process
) -> None:
    sandbox.set_amplitude(api_key="another")
    process.write(run_of(100))
    assert process.popen.wait(PATIENCE) == 1
    assert process.popen.stdout is not None
    assert process.popen.stderr is not None
    assert process.popen.stdout.read() == b""
    log = process.popen.stderr.read().decode()
    assert "check api_key, and region" in log
    assert "Traceback" not in log
    assert "sandbox-api-key" not in log


def test_when_nobody_reads_the_state_the_run_fails(process: Process) -> None:
    assert process.popen.stdout is not None
    process.popen.stdout.close()
    process.popen.stdout = None
    process.write(run_of(10))
    _, out = process.popen.communicate(timeout=PATIENCE)
    log = out.decode()
    assert process.popen.returncode == 1
    assert "standard output is closed" in log
    assert "Traceback" not in log


def test_success_logs_neither_of_the_words_meltano_takes_for_failure(process: Process) -> None:
    test_schema = schema("meltano_test_stream")
    body = {"id": 1, "name": "a", "created_at": "2026-01-01T00:00:00Z"}
    process.write(
        [test_schema, {"type": "RECORD", "stream": "meltano_test_stream", "record": body}]
    )
    code, _, log = process.end()
    assert code == 0
    assert "error" not in log.lower()
    assert "exception" not in log.lower()


def test_too_many_refusals_fail_the_run(sandbox: Sandbox, loader: Loader) -> None:
    messages = run_of(20)
    for message in messages[1:4]:
        message["record"]["recipient"] = "none"
    messages[10]["record"]["recipient"] = None
    unbounce = messages[11]["record"] | {"type": "UNBOUNCE"}
    del unbounce["recipient"]
    messages[11]["record"] = unbounce
    with pytest.raises(RunFailedError, match=r"21\.1 % of the records were refused"):
        loader.load(messages, max_rejected_percent=10)
    assert sandbox.amplitude_counts() == {OPEN: 15}
    assert numbers(loader.states) == [20]
