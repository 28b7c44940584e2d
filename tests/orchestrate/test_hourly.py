from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrate.dagster_project import DAGSTER, DagsterProject
from pipeline.once import assert_each_once
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not (DAGSTER / "dagster").exists(), reason="Dagster is not installed: make setup-dagster"
)
MODULE = "email_events_orchestration.definitions"
SCHEDULE = """
from email_events_orchestration.definitions import build_definitions
definitions = build_definitions()
schedule = definitions.resolve_schedule_def("hubspot_to_amplitude_hourly")
job = definitions.resolve_job_def("hubspot_to_amplitude")
def tick():
    requests = schedule.evaluate_tick(build_schedule_context(instance=instance)).run_requests
    return len(requests)
idle = tick()
run = instance.create_run_for_job(job, status=DagsterRunStatus.STARTED)
busy = tick()
answer = [schedule.cron_schedule, schedule.default_status.value, idle, busy]
"""


def test_what_the_schedule_runs_brings_the_new_events_of_all_accounts(
    tmp_path: Path, database: Path
) -> None:
    with Sandbox(seed=4) as sandbox:
        sandbox.generate(events=300, days=5)
        sandbox.generate(events=300, days=5, portal_id=4712)
        project = DagsterProject(tmp_path, sandbox, database, first_month="2025-01", limit=100)

        command = project.start(
            *("invoke", "dagster", "job", "execute", "-m", MODULE, "-j", "hubspot_to_amplitude")
        )
        command.wait(600)

        assert command.returncode == 0, project.output.read_text("utf-8")[-5000:]
        assert_each_once(sandbox, more_than=400)
        states = project.meltano("state", "list").stdout
        assert "prod:tap-hubspot-email-events-to-target-amplitude" in states
        assert "prod:tap-hubspot-email-events--second-to-target-amplitude" in states
        assert project.dagster(SCHEDULE) == ["0 * * * *", "RUNNING", 1, 0]
