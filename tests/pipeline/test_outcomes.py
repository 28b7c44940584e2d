"""Whichever of tap, mapping and target failed or was killed, the run is a good one nowhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forked import Forked
from pipeline.project import MELTANO
from simulation.pipeline import received

if TYPE_CHECKING:
    from pipeline.project import Project
    from sandbox.client import Sandbox

PIPELINE = ("tap-hubspot-email-events", "target-amplitude")
PATIENCE = 60
EARLY = "the input ended early"
STATE_ID = "prod:tap-hubspot-email-events-to-target-amplitude"

BROKEN = """
plugins:
  mappers:
  - name: mapper-broken
    namespace: mapper_broken
    executable: {folder}/mapper-broken
    mappings:
    - name: broken
      config: {{}}
"""


class History:
    """The job log that `meltano.yml` names, and what a monitor learns from it."""

    def __init__(self, project: Project) -> None:
        self.log = project.folder / "output/jobs.jsonl"

    @property
    def runs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def check(self, *options: str) -> tuple[int, str]:
        with Forked("target-amplitude-jobs", str(self.log), "--check", *options) as process:
            output, errors = process.communicate(PATIENCE)
        return process.returncode, (output + errors).decode()


@pytest.fixture
def history(project: Project) -> History:
    return History(project)


def assert_good(history: History) -> None:
    code, said = history.check()
    assert code == 0
    assert said.startswith("Good: the last run ended ")
    assert history.runs[-1]["complete"] is True


def assert_not_good(history: History, reason: str) -> None:
    """The last run failed for this reason."""
    code, said = history.check()
    assert code == 1
    assert reason in said
    assert history.runs[-1]["complete"] is False
    assert reason in history.runs[-1]["outcome"]


def plugins(project: Project) -> list[tuple[int, list[bytes]]]:
    """The processes of a project's plugins: their ids and command lines."""
    folder = str(project.folder).encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if folder in (command := path.read_bytes()):
                found.append((int(path.parent.name), command.split(b"\0")))
    return found


def wait_for_plugins(project: Project) -> None:
    """Wait for what Meltano has left behind, or it would deliver into the next test's Amplitude."""
    until = time.monotonic() + PATIENCE
    while plugins(project):
        assert time.monotonic() < until
        time.sleep(0.05)


def run_and_kill(project: Project, sandbox: Sandbox, plugin: str) -> int:
    """Run the pipeline and kill a plugin once Amplitude has received something."""
    before = received(sandbox)
    with subprocess.Popen(
        [str(MELTANO), "run", *PIPELINE],
        cwd=project.folder,
        env=project.environment
        | {
            "TAP_HUBSPOT_EMAIL_EVENTS_PAGE_SIZE": "20",
            "TAP_HUBSPOT_EMAIL_EVENTS_REQUESTS_PER_10_SECONDS": "10000",
            "TARGET_AMPLITUDE_BATCH_SIZE_ROWS": "20",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + PATIENCE
        while received(sandbox) == before:
            assert time.monotonic() < until
            time.sleep(0.01)
        [pid] = (
            pid
            for pid, command in plugins(project)
            if any(part.endswith(plugin.encode()) for part in command)
        )
        os.kill(pid, signal.SIGKILL)
        return process.wait(PATIENCE)


def test_a_good_run_then_refused_credentials_then_a_good_run(
    project: Project, sandbox: Sandbox, history: History
) -> None:
    sandbox.generate(events=300, days=5)
    run = project.meltano("run", *PIPELINE)
    assert run.returncode == 0, run.stdout
    assert_good(history)
    assert history.runs[-1]["state_id"] == STATE_ID
    by_hour = [stream["delivered_by_hour"] for stream in history.runs[-1]["streams"]]
    assert sum(sum(hours.values()) for hours in by_hour) == received(sandbox)
    assert history.log.stat().st_mode & 0o777 == 0o600

    refused = project.meltano(
        "run", *PIPELINE, environment={"TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN": "revoked"}
    )
    assert refused.returncode == 1
    assert_not_good(history, EARLY)

    # A run on the side does not make up for it.
    beside = project.meltano(
        "run", *PIPELINE, environment={"MELTANO_RUN_STATE_ID_SUFFIX": "beside"}
    )
    assert beside.returncode == 0, beside.stdout
    assert history.runs[-1]["state_id"] == f"{STATE_ID}:beside"
    assert f"{STATE_ID}:beside" in project.meltano("state", "list").stdout
    assert history.check()[0] == 1

    assert project.meltano("run", *PIPELINE).returncode == 0
    check = project.meltano("invoke", "target-amplitude:jobs", "--check")
    assert check.returncode == 0
    assert "Good: the last run ended" in check.stdout


@pytest.mark.parametrize("mapping", ["pseudonymise", "broken"])
def test_a_mapping_that_fails_under_meltano(
    project: Project, sandbox: Sandbox, history: History, mapping: str
) -> None:
    """Meltano may kill the target then, before it can tell."""
    sandbox.generate(events=300, days=5)
    project.include(BROKEN, **{"mapper-broken": "head -n 40; echo Failed >&2; exit 1"})
    run = project.meltano(
        "run", PIPELINE[0], mapping, PIPELINE[1], environment={"PSEUDONYMISE_KEY": ""}
    )
    assert run.returncode == 1
    wait_for_plugins(project)
    code, said = history.check()
    assert code == 1
    assert "Good" not in said


@pytest.mark.parametrize("passed_on", [0, 40])
def test_a_mapping_that_fails_in_a_pipe(
    project: Project, sandbox: Sandbox, history: History, passed_on: int
) -> None:
    sandbox.generate(events=300, days=5)
    bin_folder = Path(sys.executable).parent
    run = subprocess.run(
        f"{bin_folder}/tap-hubspot-email-events --config=ENV | head -n {passed_on} |"
        f" {bin_folder}/target-amplitude --config=ENV",
        shell=True,
        cwd=project.folder,
        env=project.environment | {"TARGET_AMPLITUDE_JOB_LOG_PATH": "output/jobs.jsonl"},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert (received(sandbox) > 0) == (passed_on > 0)
    assert_not_good(history, EARLY)


def test_a_daily_limit(project: Project, sandbox: Sandbox, history: History) -> None:
    sandbox.generate(events=300, days=5)
    sandbox.set_limits(daily_limit=8)
    run = project.meltano("run", *PIPELINE)
    assert run.returncode == 0, run.stdout
    assert_not_good(history, f"{EARLY}: HubSpot's daily request limit is used up")


def test_a_tap_that_is_killed(project: Project, sandbox: Sandbox, history: History) -> None:
    sandbox.generate(events=3000, days=20)
    sandbox.set_latency(hubspot=0.2)
    assert run_and_kill(project, sandbox, PIPELINE[0]) == 1
    # The target may have got a part of the line that was being written.
    is_cut = "is not a Singer message" in history.runs[-1]["outcome"]
    assert_not_good(history, "is not a Singer message" if is_cut else EARLY)


def test_a_target_that_is_killed_leaves_no_line(
    project: Project, sandbox: Sandbox, history: History
) -> None:
    sandbox.generate(events=300, days=5)
    assert project.meltano("run", *PIPELINE).returncode == 0
    assert_good(history)
    sandbox.generate(events=3000, days=20)
    sandbox.set_latency(hubspot=0.2, amplitude=0.2)
    assert project.meltano("state", "clear", "--force", STATE_ID).returncode == 0
    assert run_and_kill(project, sandbox, PIPELINE[1]) == 1
    assert len(history.runs) == 1
    code, said = history.check("--max-age", "1s")
    assert code == 1
    assert said.startswith("Too old: the last good run ended ")
    assert said.endswith("; --max-age is 1 second.\n")
