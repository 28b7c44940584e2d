from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.once import assert_each_once
from pipeline.project import ROOT, Project
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = ROOT / "orchestrate/github/hourly.yml"


def steps() -> list[dict[str, Any]]:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = workflow["jobs"]["run"]["steps"]
    return found


def test_actions_are_pinned_by_commit() -> None:
    actions = [step["uses"] for step in steps() if "uses" in step]
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in actions)


def test_nothing_is_installed_but_from_the_lock_files() -> None:
    commands = [step["run"] for step in steps() if "run" in step]
    assert "make setup-meltano" in commands
    assert not [command for command in commands if re.search("install|pip|curl", command)]


def test_what_the_workflow_runs_goes_on_on_a_new_machine_from_the_state_elsewhere(
    tmp_path: Path, database: Path
) -> None:
    (command,) = [step["run"] for step in steps() if "schedule run" in step.get("run", "")]
    arguments = command.splitlines()[-1].split()[1:]
    (tmp_path / "bucket").mkdir()
    elsewhere = {"MELTANO_STATE_BACKEND_URI": f"file://{tmp_path}/bucket"}
    with Sandbox(seed=9) as sandbox:
        sandbox.generate(events=500, days=10)
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
        first = Project(tmp_path / "first", sandbox, database)
        ended = first.meltano(*arguments, environment=elsewhere)
        assert ended.returncode == 0, ended.stdout
        received = sandbox.amplitude_stats()["events_received"]
        sandbox.arrive(events=50)

        second = Project(tmp_path / "second", sandbox, database)
        ended = second.meltano(*arguments, environment=elsewhere)

        assert ended.returncode == 0, ended.stdout
        assert received > 300
        assert sandbox.amplitude_stats()["events_received"] - received < received / 2
        assert_each_once(sandbox)
