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
    started = time.monotonic()
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command(meltano, *options),
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(sandbox, log_path.parent),
        )
        progress = Progress(sandbox, expected_events)
        while process.poll() is None:
            progress.show(time.monotonic() - started)
            time.sleep(0.5)
    seconds = time.monotonic() - started
    progress.show(seconds, last=True)
    if process.returncode:
        tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        raise PipelineError(f"meltano run ended with exit code {process.returncode}:\n{tail}")
    return seconds


def command(meltano: Path, *options: str) -> list[str]:
    """A run of the pipeline that reads no `.env`."""
    project = [str(meltano), f"--env-file={os.devnull}", "--environment=free-ports"]
    return [*project, "run", *options, "tap-hubspot-email-events", "target-amplitude"]


def environment(sandbox: Sandbox, output: Path) -> dict[str, str]:
    """The shell's variables with the sandbox's settings in the place of all others."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_HUBSPOT_EMAIL_EVENTS_", "TARGET_AMPLITUDE_"))
    }
    return kept | {
        "TAP_HUBSPOT_EMAIL_EVENTS_API_URL": sandbox.hubspot_url,
        "TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN": "sandbox-access-token",
        "TARGET_AMPLITUDE_API_URL": sandbox.amplitude_url,
        "TARGET_AMPLITUDE_API_KEY": "sandbox-api-key",
        "TARGET_AMPLITUDE_REJECTED_PATH": str(output.resolve() / "rejected.singer.jsonl"),
        "TARGET_AMPLITUDE_JOB_LOG_PATH": str(output.resolve() / "jobs.jsonl"),
    }


class Progress:
    """A line that is written over on a terminal, and a line for each change elsewhere."""

    def __init__(self, sandbox: Sandbox, expected: int) -> None:
        self._sandbox = sandbox
        self._expected = expected
        self._shown = -1

    def show(self, seconds: float, *, last: bool = False) -> None:
        """Show how many events have arrived after so many seconds."""
        arrived = sum(self._sandbox.amplitude_counts().values())
        line = f"  {seconds:5.1f} s  {arrived:>9,} of {self._expected:,} events in Amplitude"
        if sys.stdout.isatty():
            print(f"\r{line}", end="\n" if last else "", flush=True)
        elif last or arrived != self._shown:
            print(line, flush=True)
        self._shown = arrived
