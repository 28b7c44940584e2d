"""State in PostgreSQL and in S3, shared by two machines: kills and runs at once do no harm."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from interoperability.s3 import running_s3
from pipeline.once import assert_each_once
from pipeline.project import MELTANO, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interoperability.postgres import Postgres
    from sandbox.client import Sandbox

PIPELINE = ("tap-hubspot-email-events", "target-amplitude")
PATIENCE = 180
# A request for each stream and one for the account.
MOST_FOR_NOTHING_NEW = 12
SMALL_STEPS = {
    "TAP_HUBSPOT_EMAIL_EVENTS_PAGE_SIZE": "100",
    "TARGET_AMPLITUDE_BATCH_SIZE_ROWS": "50",
}


@pytest.fixture(params=["PostgreSQL", "S3"])
def machines(
    request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox, database: Path
) -> Iterator[list[Project]]:
    """Two machines' projects, with their state in one backend."""
    projects = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        projects.append(Project(tmp_path / name, sandbox, database))
    with ExitStack() as closing:
        if request.param == "PostgreSQL":
            server: Postgres = request.getfixturevalue("server")
            shared = {"MELTANO_DATABASE_URI": server.url("postgresql+psycopg")}
        else:
            shared = closing.enter_context(running_s3(tmp_path / "refuses"))
        for project in projects:
            project.environment |= shared | SMALL_STEPS
        yield projects


def start(project: Project, name: str) -> subprocess.Popen[bytes]:
    """Start a run that logs to a file of that name."""
    with (project.folder / name).open("wb") as log:
        return subprocess.Popen(
            [str(MELTANO), "run", "--force", *PIPELINE],
            cwd=project.folder,
            env=project.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_for_events(sandbox: Sandbox, count: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        if int(sandbox.amplitude_stats()["events_received"]) >= count:
            return
        time.sleep(0.02)


def test_a_kill_and_two_runs_at_once_lose_and_double_nothing(
    machines: list[Project], sandbox: Sandbox
) -> None:
    sandbox.generate(events=4_000, days=20)
    sandbox.set_latency(hubspot=0.05, amplitude=0.05)
    with start(machines[0], "killed") as killed:
        wait_for_events(sandbox, 1_000, killed)
        os.killpg(killed.pid, signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL

    with start(machines[0], "log") as one, start(machines[1], "log") as other:
        codes = one.wait(PATIENCE), other.wait(PATIENCE)
    assert codes == (0, 0), (machines[codes.index(1)].folder / "log").read_text()[-3000:]
    sandbox.arrive()
    sandbox.set_latency(hubspot=0, amplitude=0)
    last = machines[1].meltano("run", "--force", *PIPELINE)

    assert last.returncode == 0, last.stdout
    assert_each_once(sandbox, more_than=3_000)
    # The other machine goes on from there.
    before = sandbox.hubspot_stats()["requests"]
    again = machines[0].meltano("run", "--force", *PIPELINE)
    assert again.returncode == 0, again.stdout
    assert sandbox.hubspot_stats()["requests"] - before <= MOST_FOR_NOTHING_NEW
