"""Runs a plugin against a hostile peer, and measures what that costs it."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forked import Forked
from hostile.plugin import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostile.server import Server

TAP = "tap-hubspot-email-events"
TARGET = "target-amplitude"
PATIENCE = 10.0
MOST_MEGABYTES = 250
SECRETS = (
    "sandbox-access-token",
    "sandbox-client-secret",
    "sandbox-refresh-token",
    "sandbox-api-key",
    "sandbox-secret-key",
    "@example",
)
"""What no output but the records of the tap may hold."""

_POLL_SECONDS = 0.005
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a plugin ended; None as its code means that it had to be killed."""

    code: int | None
    output: bytes
    errors: str
    seconds: float
    megabytes: float

    @property
    def complaints(self) -> list[str]:
        """The lines of the log that are no information."""
        return [line for line in self.errors.splitlines() if " INFO " not in line]

    def sentence(self, code: int = 1) -> str:
        """The one sentence with which it ended, as a user should see it."""
        assert self.code == code, self
        assert len(self.complaints) == 1, self.errors
        self.assert_bounded()
        return self.complaints[0]

    def assert_bounded(self) -> None:
        """It ended by itself, within its memory, and gave away nothing."""
        assert self.code is not None, f"had to be killed\n{self.errors}"
        assert "Traceback" not in self.errors
        for secret in SECRETS:
            assert secret not in self.errors
        assert self.megabytes < MOST_MEGABYTES


def run(  # noqa: PLR0913 - what a process has
    command: str,
    *arguments: str,
    stdin: bytes = b"",
    limits: Mapping[str, float] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    patience: float = PATIENCE,
) -> Outcome:
    """Run a command of the plugins to its end, or until patience is at an end.

    `limits` are constants by their dotted paths, and what they are to be in this run.
    """
    variables = os.environ | {VARIABLE: json.dumps(limits or {})} | dict(environment or {})
    process = Forked(
        "hostile.plugin",
        command,
        *arguments,
        environment=variables,
        folder=folder,
        stdin=stdin,
    )
    # The first process waits for the one that it is forked from.
    started = time.monotonic()
    peak = _Peak(process.pid)
    with process, peak:
        output, errors = process.communicate(patience)
        seconds = time.monotonic() - started
    code = None if seconds >= patience else process.returncode
    outcome = Outcome(code, output, errors.decode(), seconds, peak.megabytes)
    print(f"{code} {seconds:6.2f} s {peak.megabytes:5.0f} MB", *outcome.complaints[-3:], sep="\n  ")
    return outcome


def run_tap(
    server: Server, folder: Path, *arguments: str, command: str = TAP, **settings: Any
) -> Outcome:
    """Run the tap, or its check, with these settings, and the options of `run`."""
    given = {
        "api_url": server.url,
        "access_token": "sandbox-access-token",
        "enrich_campaigns": False,
        "requests_per_10_seconds": 10_000,
        "max_retries": 0,
    }
    return _configured(command, given, folder, arguments, settings)


def run_target(
    server: Server, folder: Path, *arguments: str, command: str = TARGET, **settings: Any
) -> Outcome:
    """Run the target, or another of its commands, with these settings, and the options of `run`."""
    given = {
        "api_url": server.url,
        "api_key": "sandbox-api-key",
        "rejected_path": str(folder / "rejected.jsonl"),
        "job_log_path": str(folder / "jobs.jsonl"),
    }
    return _configured(command, given, folder, arguments, settings)


def _configured(
    command: str,
    given: dict[str, Any],
    folder: Path,
    arguments: tuple[str, ...],
    settings: dict[str, Any],
) -> Outcome:
    options = {
        name: settings.pop(name)
        for name in ("stdin", "limits", "environment", "patience")
        if name in settings
    }
    path = folder / "config.json"
    config = given | settings
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    return run(command, f"--config={path}", *arguments, folder=folder, **options)


class _Peak:
    """The most memory that a process has had, read until it ends, for also killed ones have one."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.megabytes = 0.0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            try:
                found = _PEAK.search(self._status.read_text())
            except OSError:
                return
            if found is None:
                return
            self.megabytes = int(found[1]) / 1024
