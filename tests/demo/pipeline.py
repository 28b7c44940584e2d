"""One `meltano run` of the pipeline, watched while it works."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

LOG_TAIL_LINES = 15


class PipelineError(Exception):
    """The run ended with another exit code than 0."""


def run_pipeline(
    meltano: Path,
    sandbox: Sandbox,
    log_path: Path,
    expected_events: int,
    *options: str,
) -> float:
    """Run tap and target against the sandbox and return the seconds it took.

    Raises:
        PipelineError: The run failed; the message ends with the last lines of its log.
    """
    environment = os.environ | {
        "TAP_HUBSPOT_EMAIL_EVENTS_API_URL": sandbox.hubspot_url,
        "TARGET_AMPLITUDE_API_URL": sandbox.amplitude_url,
    }
    command = [
        str(meltano), "--environment=demo", "run", *options,
        "tap-hubspot-email-events", "target-amplitude",
    ]  # fmt: skip
    started = time.monotonic()
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        while process.poll() is None:
            _show_progress(sandbox, expected_events, time.monotonic() - started)
            time.sleep(0.5)
    seconds = time.monotonic() - started
    _show_progress(sandbox, expected_events, seconds)
    print()
    if process.returncode:
        tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        raise PipelineError(f"meltano run ended with exit code {process.returncode}:\n{tail}")
    return seconds


def _show_progress(sandbox: Sandbox, expected: int, seconds: float) -> None:
    arrived = sum(sandbox.amplitude_counts().values())
    line = f"  {seconds:5.1f} s  {arrived:>9,} of {expected:,} events in Amplitude"
    if sys.stdout.isatty():
        print(f"\r{line}", end="", flush=True)
    else:
        print(line, flush=True)
