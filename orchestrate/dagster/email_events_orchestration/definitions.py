"""What Dagster loads: assets, jobs, schedule and executor, as `orchestration.yml` says."""

from __future__ import annotations

from dagster import Definitions, JobDefinition, definitions

from email_events_orchestration.assets import history, increments, months_since
from email_events_orchestration.backfill import JOB, backfill_job
from email_events_orchestration.configuration import read_configuration
from email_events_orchestration.database import wait_for_outages
from email_events_orchestration.executors import executor_of
from email_events_orchestration.schedule import hourly


def build_definitions() -> Definitions:
    """Build everything anew from the configuration."""
    wait_for_outages()
    configuration = read_configuration()
    months = months_since(configuration.first_month)
    new = [increments(account) for account in configuration.accounts]
    return Definitions(
        assets=[*new, *(history(account, months) for account in configuration.accounts)],
        jobs=[backfill_job(configuration.accounts)],
        schedules=[hourly(new)],
        executor=executor_of(configuration),
    )


@definitions
def everything() -> Definitions:
    """What `dagster -m email_events_orchestration.definitions` finds."""
    return build_definitions()


def backfill() -> JobDefinition:
    """The backfill, for processes that are told where to find it."""
    return build_definitions().resolve_job_def(JOB)
