"""Tap and target in a pipe with clocks of their own, and through Meltano."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.project import Project, empty_database

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.client import Sandbox

TESTS = str(Path(__file__).parents[1])
PATIENCE = 120
STATE_ID = "prod:tap-hubspot-email-events-to-target-amplitude"
POLL_SECONDS = 0.01
REST_SECONDS = 0.3


def received(sandbox: Sandbox) -> int:
    """How many events Amplitude was sent so far."""
    return int(sandbox.amplitude_stats()["events_received"])


def received_at_rest(sandbox: Sandbox) -> int:
    """The same once Amplitude has taken in what a killed process had sent."""
    before, after = -1, received(sandbox)
    while before != after:
        time.sleep(REST_SECONDS)
        before, after = after, received(sandbox)
    return after


@dataclass
class Ended:
    """How a run ended: exit codes, 0 for well, what it logged, and the states it wrote."""

    tap: int
    target: int
    log: str
    states: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether both ended well."""
        return self.tap == self.target == 0


class Running:
    """One `tap | target`, under way."""

    def __init__(
        self, folder: Path, ahead: float, config: dict[str, Any], state: dict[str, Any]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        for name, content in (*config.items(), ("state", state)):
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        command = [sys.executable, "-m", "at_time", str(ahead)]
        environment = os.environ | {"PYTHONPATH": TESTS}
        # Files rather than pipes: one that nobody reads before a kill would fill up.
        with (
            (folder / "states").open("wb") as states,
            (folder / "tap.log").open("wb") as tap_log,
            (folder / "target.log").open("wb") as target_log,
        ):
            self.tap = subprocess.Popen(
                [
                    *command,
                    "tap",
                    "--config",
                    folder / "tap.json",
                    "--state",
                    folder / "state.json",
                ],
                stdout=subprocess.PIPE,
                stderr=tap_log,
                cwd=folder.parent,
                env=environment,
            )
            self.target = subprocess.Popen(
                [*command, "target", "--config", folder / "target.json"],
                stdin=self.tap.stdout,
                stdout=states,
                stderr=target_log,
                cwd=folder.parent,
                env=environment,
            )
        assert self.tap.stdout is not None
        self.tap.stdout.close()

    def interfere(self, when: Callable[[], bool], act: Callable[[], None]) -> bool:
        """Act once it is time, unless the run ends before; returns whether it acted."""
        until = time.monotonic() + PATIENCE
        while self.target.poll() is None and time.monotonic() < until:
            if when():
                act()
                return True
            time.sleep(POLL_SECONDS)
        return False

    def signal(self, number: int, *names: str) -> None:
        """Send a signal to tap, target, or both."""
        for name in names:
            getattr(self, name).send_signal(number)

    def wait(self) -> Ended:
        """Wait for the end of both."""
        try:
            target = self.target.wait(PATIENCE)
            tap = self.tap.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL, "tap", "target")
            raise
        lines = (self._folder / "states").read_bytes().split(b"\n")[:-1]
        log = "".join(
            (self._folder / name).read_text("utf-8", "replace")
            for name in ("tap.log", "target.log")
        )
        return Ended(tap, target, log, [json.loads(line) for line in lines if line])


class ThroughMeltano:
    """The same run by Meltano, with its own state."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        folder.mkdir()
        (folder / "project").mkdir()
        self._project = Project(folder / "project", sandbox, empty_database(folder))

    def run(self, config: dict[str, Any], state: dict[str, Any]) -> Ended:
        """Run from a state; the machine's clock is the true one."""
        environment = {
            f"{plugin}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for plugin, part in (
                ("TAP_HUBSPOT_EMAIL_EVENTS", config["tap"]),
                ("TARGET_AMPLITUDE", config["target"]),
            )
            for name, value in part.items()
        }
        if state:
            path = self._project.folder / "given.json"
            path.write_text(json.dumps({"singer_state": state}))
            self._project.meltano("state", "set", "--force", STATE_ID, "--input-file", str(path))
        done = self._project.meltano(
            *("run", "--force", "tap-hubspot-email-events", "target-amplitude"),
            environment=environment,
        )
        output = self._project.meltano("state", "get", STATE_ID).stdout
        text = output[output.index("{") :] if "{" in output else "{}"
        said = json.JSONDecoder().raw_decode(text)[0]
        return Ended(0, done.returncode, done.stdout, [said["singer_state"]])
