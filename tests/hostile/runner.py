"""Runs a plugin against a hostile peer or in an odd process, and measures what that costs it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forked import Forked
from hostile.plugin import PEAK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TAP = "tap-hubspot-email-events"
TARGET = "target-amplitude"
MAPPER = "mapper-email-events"
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
SETTINGS: dict[str, dict[str, Any]] = {
    TAP: {
        "access_token": "sandbox-access-token",
        "enrich_campaigns": False,
        "requests_per_10_seconds": 10_000,
        "max_retries": 0,
    },
    TARGET: {
        "api_key": "sandbox-api-key",
        "rejected_path": "rejected.jsonl",
        "job_log_path": "jobs.jsonl",
        "max_retries": 0,
    },
    MAPPER: {"transforms": ["drop-bots"]},
}
"""What each plugin and its commands need, beside the address of a server."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a plugin ended; None as its code means that it had to be killed."""

    code: int | None
    out: str
    err: str
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

    def assert_said(self, *words: str, code: int = 1) -> None:
        """It failed, and its log has these words and no traceback."""
        assert self.code == code, self.err
        assert "Traceback" not in self.err
        assert "Exception ignored" not in self.err
        for word in words:
            assert word in self.err, self.err

    def assert_bounded(self) -> None:
        """It ended by itself, within its memory, and gave away nothing."""
        assert self.code is not None, f"had to be killed\n{self.err}"
        assert "Traceback" not in self.err
        for secret in SECRETS:
            assert secret not in self.err
        assert 0 < self.megabytes < MOST_MEGABYTES


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
    with process:
        out, err = (each.decode(errors="surrogateescape") for each in process.communicate(PATIENCE))
        seconds = time.monotonic() - started
    code = None if seconds >= PATIENCE else process.returncode
    peak = folder / PEAK
    megabytes = int(peak.read_text()) / 1024 if peak.exists() else 0.0
    outcome = Outcome(code, out, err, megabytes)
    print(f"{code} {seconds:6.2f} s {megabytes:5.0f} MB", *outcome.complaints[-3:], sep="\n  ")
    return outcome


def run_against(
    url: str,
    command: str,
    *arguments: str,
    folder: Path,
    stdin: bytes = b"",
    limits: Mapping[str, float] | None = None,
    **settings: Any,
) -> Outcome:
    """Run a command of a plugin against a server; a setting that is None is left out."""
    given = settings_of(command) | {"api_url": url} | settings
    config = {name: value for name, value in given.items() if value is not None}
    return run(command, *arguments, folder=folder, config=config, stdin=stdin, limits=limits)


def settings_of(command: str) -> dict[str, Any]:
    """The settings of the plugin that a command belongs to."""
    return next(given for plugin, given in SETTINGS.items() if command.startswith(plugin))
