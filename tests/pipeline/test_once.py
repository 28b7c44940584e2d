"""Each event is delivered once by hourly runs; a kill costs no more than what its run had sent."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.project import MELTANO
from sandbox.scenarios.steady import Steady, moments

if TYPE_CHECKING:
    from pipeline.project import Project
    from sandbox.client import Sandbox

HOUR = 3600
TARGET = str(Path(sys.executable).parent / "target-amplitude")
TESTS = str(Path(__file__).parents[1])


def received(sandbox: Sandbox) -> int:
    return int(sandbox.amplitude_stats()["events_received"])


def received_at_rest(sandbox: Sandbox) -> int:
    """The same once Amplitude has answered what a killed process had sent."""
    before, after = -1, received(sandbox)
    while before != after:
        time.sleep(0.3)
        before, after = after, received(sandbox)
    return after


class Hourly:
    """Tap and target in a pipe, once an hour by HubSpot's clock."""

    def __init__(self, sandbox: Sandbox, steady: Steady, folder: Path) -> None:
        sandbox.set_limits(requests_per_10_seconds=0)
        sandbox.set_hubspot_clock(steady.begin)
        sandbox.add_steady(steady)
        self.sandbox, self.steady, self.folder = sandbox, steady, folder
        self.state: dict[str, Any] = {}
        tap = {
            "api_url": sandbox.hubspot_url,
            "access_token": "sandbox-access-token",
            "requests_per_10_seconds": 10_000,
            "page_size": 100,
        }
        target = {
            "api_url": sandbox.amplitude_url,
            "api_key": "sandbox-api-key",
            "rejected_path": str(folder / "rejected.jsonl"),
            "batch_size_rows": 100,
        }
        for name, config in (("tap", tap), ("target", target)):
            (folder / f"{name}.json").write_text(json.dumps(config), encoding="utf-8")

    def run(self, hour: float, *, kill: str = "", after: int = 0) -> bool:
        """Run once; returns whether it ended well.

        `kill` is one of tap and target, or both; it happens once Amplitude received `after` events.
        """
        at = self.steady.begin + hour * HOUR
        enough = received(self.sandbox) + after
        self.sandbox.set_hubspot_clock(at)
        (self.folder / "state.json").write_text(json.dumps(self.state), encoding="utf-8")
        ahead = str(at - time.time())
        command = [sys.executable, "-m", "at_time", ahead, "tap", "--config", "tap.json"]
        # A pipe that nobody reads before the kill would fill with states and stop the target.
        states = self.folder / "states.jsonl"
        with (
            states.open("wb") as written,
            subprocess.Popen(
                [*command, "--state", "state.json"],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": TESTS},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as tap,
            subprocess.Popen(
                [TARGET, "--config", "target.json"],
                cwd=self.folder,
                stdin=tap.stdout,
                stdout=written,
                stderr=subprocess.DEVNULL,
            ) as target,
        ):
            assert tap.stdout is not None
            tap.stdout.close()
            if kill:
                while target.poll() is None and received(self.sandbox) < enough:
                    time.sleep(0.01)
                for name, process in (("tap", tap), ("target", target)):
                    if kill in {name, "both"}:
                        process.kill()
            target.wait(timeout=60)
        lines = [line for line in states.read_bytes().split(b"\n")[:-1] if line]
        self.state = json.loads(lines[-1]) if lines else self.state
        return tap.returncode == target.returncode == 0


def check(sandbox: Sandbox, steady: Steady, killed: int) -> None:
    delivered = {event["event_properties"]["id"] for event in sandbox.amplitude_events()}
    assert delivered == {each.id for each in moments(steady)}
    assert sandbox.amplitude_stats()["duplicates"] <= killed


def test_kills_of_tap_and_target_lose_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    order = random.Random(23)
    steady = Steady(23, time.time() - 20 * HOUR, 4, 1500)
    hourly = Hourly(sandbox, steady, tmp_path)
    sandbox.set_latency(hubspot=0.1, amplitude=0.1)
    killed, kills = 0, 0
    for hour in range(1, 6):
        before = received_at_rest(sandbox)
        kill = order.choice(["tap", "target", "both"])
        if not hourly.run(hour, kill=kill, after=order.randrange(1, 1400)):
            killed += received_at_rest(sandbox) - before
            kills += 1
        assert hourly.run(hour + 0.2)
    assert kills > 2
    assert killed > 1000, "the kills came before anything was sent"
    check(sandbox, steady, killed)


def test_kills_of_meltano_lose_nothing(sandbox: Sandbox, project: Project) -> None:
    order = random.Random(29)
    steady = Steady(29, time.time() - 20 * HOUR, 2, 1000)
    sandbox.set_hubspot_clock(steady.begin)
    sandbox.add_steady(steady)
    killed = 0
    command = [str(MELTANO), "run", "tap-hubspot-email-events", "target-amplitude"]
    for hour in range(1, 4):
        # The tap goes by HubSpot's clock, since the machine's is ahead of it.
        sandbox.set_hubspot_clock(steady.begin + hour * HOUR)
        before = received_at_rest(sandbox)
        with subprocess.Popen(
            command,
            cwd=project.folder,
            env=project.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            time.sleep(order.uniform(2.0, 4.0))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            killed += received_at_rest(sandbox) - before
        again = project.meltano("run", "--force", "tap-hubspot-email-events", "target-amplitude")
        assert again.returncode == 0, again.stdout
    check(sandbox, steady, killed)
