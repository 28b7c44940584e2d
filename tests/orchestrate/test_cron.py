from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipeline.once import assert_each_once
from pipeline.project import MELTANO, ROOT, Project, empty_database
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRAPPER = "orchestrate/cron/run-hourly.sh"
# Stands for a run that lasts: it says that it has begun, and ends when it is told to.
LASTING = '#!/bin/sh\necho begun > "$PIPES/begun"\nread line < "$PIPES/end"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "orchestrate/cron", tmp_path / "orchestrate/cron")
    return tmp_path


@pytest.fixture
def cron_project(tmp_path: Path) -> Iterator[tuple[Project, Sandbox]]:
    place = tmp_path / "project"
    place.mkdir()
    (tmp_path / "database").mkdir()
    with Sandbox(seed=3) as sandbox:
        project = Project(place, sandbox, empty_database(tmp_path / "database"))
        shutil.copytree(ROOT / "orchestrate/cron", place / "orchestrate/cron")
        yield project, sandbox


def run(
    folder: Path, environment: dict[str, str], *, of_cron: bool = False
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / WRAPPER],
        env=environment if of_cron else os.environ | environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def log_of(folder: Path) -> str:
    (log,) = (folder / "output/logs").glob("*.log")
    return log.read_text(encoding="utf-8")


def test_on_the_path_of_cron_the_projects_own_meltano_runs_the_schedule_and_nobody_else_can_read_it(
    cron_project: tuple[Project, Sandbox],
) -> None:
    project, sandbox = cron_project
    sandbox.generate(events=500, days=5)
    (project.folder / ".venv-meltano").symlink_to(MELTANO.parents[1])
    settings = {
        name: value for name, value in project.environment.items() if name not in os.environ
    }

    ended = run(
        project.folder, {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", **settings}, of_cron=True
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", ""), log_of(project.folder)
    assert_each_once(sandbox, more_than=300)
    written = [*project.folder.glob("output/**/*"), *project.folder.glob(".meltano/run/**/*")]
    assert len(written) > 3
    open_to_others = [
        path for path in written if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_a_failing_run_passes_its_exit_code_on_and_writes_the_end_of_its_own_lines(
    folder: Path,
) -> None:
    program = folder / "meltano"
    program.write_text("#!/bin/sh\necho Reason of the failure.\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)

    failed = run(folder, {"MELTANO": str(program)})
    not_started = run(folder, {"MELTANO": str(folder / "missing")})

    assert (failed.returncode, failed.stdout) == (3, "")
    assert "failed with exit code 3" in failed.stderr
    assert "Reason of the failure." in failed.stderr
    assert (not_started.returncode, not_started.stdout) == (127, "")
    assert "missing: No such file" in not_started.stderr
    assert "Reason of the failure." not in not_started.stderr


def test_a_run_beside_another_leaves_it_alone_and_the_next_one_runs(folder: Path) -> None:
    lasting = folder / "meltano"
    lasting.write_text(LASTING, encoding="utf-8")
    lasting.chmod(0o755)
    os.mkfifo(folder / "begun")
    os.mkfifo(folder / "end")
    environment = {"MELTANO": str(lasting), "PIPES": str(folder)}
    first = subprocess.Popen([folder / WRAPPER], env=os.environ | environment, cwd="/")
    (folder / "begun").read_text(encoding="utf-8")

    second = run(folder, environment)
    (folder / "end").write_text("end\n", encoding="utf-8")

    assert (second.returncode, second.stderr) == (0, "")
    assert first.wait(30) == 0
    assert log_of(folder).count("skipped: the run before has not ended") == 1
    assert log_of(folder).count("started") == 1
    third = run(folder, environment | {"MELTANO": "/bin/true"})
    assert third.returncode == 0
    assert log_of(folder).count("started") == 2
