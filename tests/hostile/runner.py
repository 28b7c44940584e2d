"""Runs a plugin against a hostile peer or in an odd process, and measures what that costs it."""

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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostile.server import Server

TAP = "tap-hubspot-email-events"
TARGET = "target-amplitude"
PATIENCE = 60.0
MB = 1_000_000
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

_LIMITS = {
    f"{package}.common.output._PIPE_SECONDS": 0.2
    for package in ("tap_hubspot_email_events", "target_amplitude")
}
_POLL_SECONDS = 0.005
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a plugin ended; None as its code means that it had to be killed."""

    code: int | None
    out: str
    err: str
    seconds: float
    megabytes: float

    @property
    def complaints(self) -> list[str]:
        """The lines of the log that are no information."""
        return [line for line in self.err.splitlines() if " INFO " not in line]

    def sentence(self, code: int = 1) -> str:
        """The one sentence with which it ended, as a user should see it."""
        assert self.code == code, self
        assert len(self.complaints) == 1, self.err
        self.assert_bounded()
        return self.complaints[0]

    def assert_bounded(self) -> None:
        """It ended by itself, within its memory, and gave away nothing."""
        assert self.code is not None, f"had to be killed\n{self.err}"
        assert "Traceback" not in self.err
        for secret in SECRETS:
            assert secret not in self.err
        assert self.megabytes < MOST_MEGABYTES


def run(  # noqa: PLR0913 - what a process has
    command: str,
    *arguments: str,
    folder: Path,
    config: Mapping[str, Any] | None = None,
    stdin: bytes = b"",
    limits: Mapping[str, float] | None = None,
    variables: Mapping[str, str] | None = None,
    **odd: Any,
) -> Outcome:
    """Run a command of the plugins to its end, or until patience is at an end.

    `config` becomes a file; `limits` are constants by their dotted paths, and what they are to be.
    Of the odd, `closed` lists standard descriptors that are closed, `full` those that lead to a
    full disk; `descriptors` are open before; `memory` is what the process may take beside what it
    has, and `file` how large a file may become, in bytes.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_HUBSPOT", "TARGET_AMPLITUDE"))
    }
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
        arguments = ("--config", "config.json", *arguments)
    process = Forked(
        "hostile.plugin",
        json.dumps({"limits": _LIMITS | dict(limits or {})} | odd),
        command,
        *arguments,
        environment=environment | dict(variables or {}),
        folder=folder,
        stdin=stdin,
    )
    # The first process waits for the one that it is forked from.
    started = time.monotonic()
    peak = _Peak(process.pid)
    with process, peak:
        out, err = (each.decode(errors="surrogateescape") for each in process.communicate(PATIENCE))
        seconds = time.monotonic() - started
    code = None if seconds >= PATIENCE else process.returncode
    outcome = Outcome(code, out, err, seconds, peak.megabytes)
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
    options = {name: settings.pop(name) for name in ("stdin", "limits") if name in settings}
    config = {name: value for name, value in (given | settings).items() if value is not None}
    return run(command, *arguments, folder=folder, config=config, **options)


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
