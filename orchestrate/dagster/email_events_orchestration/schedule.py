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
UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def hourly(increments: Sequence[AssetsDefinition]) -> ScheduleDefinition:
    """Every hour what is new in all accounts, unless the hour before is still at it."""
    job = define_asset_job(JOB, selection=AssetSelection.assets(*increments))
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
