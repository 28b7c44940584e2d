"""The hourly schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import (
    AssetSelection,
    DagsterRunStatus,
    DefaultScheduleStatus,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    define_asset_job,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagster import AssetsDefinition

JOB = "hubspot_to_amplitude"
BEFORE_BACKFILLS = {"dagster/priority": "10", "dagster-celery/run_priority": "4"}
"""The next place, run and worker that comes free is this job's; Celery's steps have 5 of 10."""

UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def hourly(increments: Sequence[AssetsDefinition]) -> ScheduleDefinition:
    """Every hour what is new in all accounts, unless the hour before is still at it."""
    selection = AssetSelection.assets(*increments)
    job = define_asset_job(JOB, selection=selection, tags=BEFORE_BACKFILLS)
    return ScheduleDefinition(
        name="hubspot_to_amplitude_hourly",
        job=job,
        cron_schedule="0 * * * *",
        execution_fn=_run_unless_running,
        # Whoever starts Dagster's daemon wants its clock.
        default_status=DefaultScheduleStatus.RUNNING,
    )


def _run_unless_running(context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
    unfinished = RunsFilter(job_name=JOB, statuses=UNFINISHED)
    if context.instance.get_runs_count(unfinished):
        return SkipReason("The run before has not ended.")
    return RunRequest()
