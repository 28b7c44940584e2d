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

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.project import Project
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
        self.tap = self._start(
            "tap", ahead, "--state", folder / "state.json", stdout=subprocess.PIPE
        )
        # A file rather than a pipe: one that nobody reads before a kill would fill up.
        with (folder / "states").open("wb") as states:
            self.target = self._start("target", ahead, stdin=self.tap.stdout, stdout=states)
        assert self.tap.stdout is not None
        self.tap.stdout.close()

    def _start(
        self, name: str, ahead: float, *options: str | Path, **streams: Any
    ) -> subprocess.Popen[bytes]:
        config = self._folder / f"{name}.json"
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "at_time", str(ahead), name, "--config", config, *options],
                stderr=log,
                cwd=self._folder.parent,
                env=os.environ | {"PYTHONPATH": TESTS},
                **streams,
            )

    def interfere(self, when: Callable[[], bool], act: Callable[[], None]) -> None:
        """Act once it is time, unless the run ends before."""
        until = time.monotonic() + PATIENCE
        while self.target.poll() is None and time.monotonic() < until:
            if when():
                act()
                return
            time.sleep(POLL_SECONDS)

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


def through_meltano(project: Project, config: dict[str, Any], state: dict[str, Any]) -> Ended:
    """The same run by Meltano, from a state; the machine's clock is the true one."""
    environment = {
        f"{plugin}_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for plugin, part in (
            ("TAP_HUBSPOT_EMAIL_EVENTS", config["tap"]),
            ("TARGET_AMPLITUDE", config["target"]),
        )
        for name, value in part.items()
    }
    if state:
        path = project.folder / "given.json"
        path.write_text(json.dumps({"singer_state": state}))
        project.meltano("state", "set", "--force", STATE_ID, "--input-file", str(path))
    done = project.meltano(
        *("run", "--force", "tap-hubspot-email-events", "target-amplitude"),
        environment=environment,
    )
    output = project.meltano("state", "get", STATE_ID).stdout
    said = json.JSONDecoder().raw_decode(output[output.index("{") :])[0]
    return Ended(0, done.returncode, done.stdout, [said["singer_state"]])
