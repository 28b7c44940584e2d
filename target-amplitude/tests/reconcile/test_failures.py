"""A reconciliation that fails says why, sends nothing, and leaves no file behind."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from loading.loader import COMMAND
from loading.messages import run_of
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox

SEND = {"secret_key": "sandbox-secret-key", "reconcile": "send_missing"}
EXPORT = "/api/2/export"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"action": "answer", "status": 403}, "refuses the keys .* check api_key, secret_key"),
        ({"action": "answer", "status": 302}, "answered with status 302"),
        ({"action": "answer", "status": 400}, r"cannot export the hour .* export to S3"),
        ({"action": "cut"}, "gave no answer that counts after 2 retries"),
        ({"action": "answer", "status": 200, "body": "no zip"}, "gave no zip of events twice"),
    ],
)
def test_a_lasting_failure_is_a_sentence_and_sends_nothing(
    sandbox: Sandbox, loader: Loader, fault: dict[str, Any], sentence: str
) -> None:
    sandbox.add_fault("amplitude", path=EXPORT, **fault)
    with pytest.raises(RunFailedError, match=sentence):
        loader.load(run_of(5), **SEND, max_retries=2)
    assert loader.states == []
    assert sandbox.amplitude_events() == []


def started(loader: Loader, folder: Path, **options: Any) -> subprocess.Popen[bytes]:
    (folder / "config.json").write_text(json.dumps(loader.config | SEND))
    return subprocess.Popen(
        [COMMAND, "--config", str(folder / "config.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def text_of(count: int) -> bytes:
    return "".join(f"{json.dumps(message)}\n" for message in run_of(count)).encode()


@pytest.mark.parametrize(
    ("most_bytes", "count", "sentence"),
    [
        (4096, 2000, b"The events to compare cannot be kept in"),
        (100_000, 10, b"The export of Amplitude cannot be kept in"),
    ],
)
def test_a_full_disk_is_a_sentence(  # noqa: PLR0913, PLR0917
    sandbox: Sandbox, loader: Loader, tmp_path: Path, most_bytes: int, count: int, sentence: bytes
) -> None:
    sandbox.set_amplitude(export_delay_hours=-1)
    sandbox.add_other_events(20_000, 1)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    with started(loader, tmp_path, preexec_fn=limit) as process:
        output, errors = process.communicate(text_of(count), timeout=60)
    assert (process.returncode, output) == (1, b"")
    assert sentence in errors
    assert b"Traceback" not in errors
    assert sandbox.amplitude_stats()["events_received"] == 0


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_an_end_midway_leaves_no_file_behind(
    sandbox: Sandbox, loader: Loader, tmp_path: Path, signum: signal.Signals
) -> None:
    sandbox.add_fault("amplitude", path=EXPORT, action="delay", seconds=20)
    before = {path.name for path in tmp_path.iterdir()} | {
        "config.json",
        "rejected.jsonl",
        "jobs.jsonl",
    }
    with started(loader, tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(text_of(500))
        process.stdin.close()
        while not sandbox.faults_met():
            time.sleep(0.05)
        begun = time.monotonic()
        process.send_signal(signum)
        process.wait(60)
    assert process.returncode in {-signum, 128 + signum}
    assert time.monotonic() - begun < 5
    assert {path.name for path in tmp_path.iterdir()} <= before
