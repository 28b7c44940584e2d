from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.project import MELTANO, Project
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"
PATIENCE = 60


@pytest.fixture
def project(tmp_path: Path, database: Path) -> Iterator[Project]:
    with Sandbox(seed=6, latency_hubspot=0.2) as sandbox:
        sandbox.generate(events=1_000, days=10)
        yield Project(tmp_path, sandbox, database)


def test_a_small_first_run_is_told_in_forty_lines_warnings_included(project: Project) -> None:
    misspelt = {"TAP_HUBSPOT_EMAIL_EVENTS_CONTACT_PROPERTIES": '["misspelt"]'}

    ended = project.meltano("run", TAP, TARGET, environment=misspelt)

    assert ended.returncode == 0, ended.stdout
    lines = ended.stdout.splitlines()
    assert len(lines) < 40
    assert [line for line in lines if "[warning" in line and "misspelt" in line]
    assert len([line for line in lines if "email_open " in line]) == 2


@pytest.mark.parametrize(
    ("blocks", "variable", "reason"),
    [
        ([TAP, TARGET], "TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN", "HubSpot refused the token"),
        ([TAP, TARGET], "TARGET_AMPLITUDE_API_KEY", "does not know this API key"),
        ([TAP, "pseudonymise", TARGET], "UNUSED", "The mapping pseudonymise has no key"),
    ],
)
def test_a_failed_run_ends_with_the_sentence_that_says_why(
    project: Project, blocks: list[str], variable: str, reason: str
) -> None:
    ended = project.meltano("run", *blocks, environment={variable: "revoked"})

    assert ended.returncode == 1
    # What may follow is Python's own complaint about the way Meltano left its loop.
    said, _, _ = ended.stdout.partition("Exception ignored in: ")
    assert reason in said.splitlines()[-1]
    assert "[error" in said.splitlines()[-1]
    assert any(reason in line for line in ended.stdout.splitlines()[-15:])
    assert "Traceback" not in said


def test_the_end_of_a_run_whose_tap_was_killed_says_which_plugin_ended_how(
    project: Project,
) -> None:
    run = subprocess.Popen(
        [MELTANO, "run", TAP, TARGET],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.kill(reading_tap(run.pid), signal.SIGKILL)

    output, _ = run.communicate(timeout=PATIENCE)

    assert run.returncode == 1
    end = output.splitlines()[-15:]
    assert any("Extractor failed" in line for line in end)
    assert any("extractors'>: -9" in line for line in end)


def reading_tap(meltano: int) -> int:
    """The process of the tap, as soon as it and the target are up."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        children = Path(f"/proc/{meltano}/task/{meltano}/children").read_text("utf-8").split()
        words = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
        if any(TARGET.encode() in command for command in words.values()):
            return next(int(pid) for pid, command in words.items() if b"--catalog" in command)
        time.sleep(0.02)
    raise TimeoutError
