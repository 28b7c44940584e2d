"""A backfill as one run: a step for each account and month, side by side on the job's executor."""

# Dagster reads annotations of contexts and configurations at run time, so none are postponed.
from collections.abc import Iterator, Sequence
from typing import Any

from dagster import (
    AssetMaterialization,
    Config,
    DynamicOut,
    DynamicOutput,
    In,
    JobDefinition,
    Nothing,
    OpDefinition,
    OpExecutionContext,
    graph,
    op,
)
from pydantic import Field

from email_events_orchestration.configuration import Account
from email_events_orchestration.loading import MONTH_RETRIES, MonthConfig, history_key, load_month
from email_events_orchestration.months import Month

JOB = "backfill"
PLAN = "plan"


class BackfillConfig(Config):
    """Which months of which accounts."""

    months: dict[str, list[str]] = Field(description="For each account, such as 2025-01.")


def backfill_job(accounts: Sequence[Account]) -> JobDefinition:
    """The job; its executor is the one of the whole repository."""
    plan = _plan(accounts)
    parts = {account.name: _part(account) for account in accounts}

    @graph(name=JOB, description="Past months of every account, side by side.")
    def backfill() -> None:
        planned = plan()
        outputs = [planned] if len(accounts) == 1 else list(planned)
        for account, output in zip(accounts, outputs, strict=True):
            output.map(parts[account.name])

    return backfill.to_job(name=JOB)


def _plan(accounts: Sequence[Account]) -> OpDefinition:
    # Nothing is handed on but the name of the month, so that no storage has to be shared.
    outputs = {account.name: DynamicOut(Nothing, is_required=False) for account in accounts}

    @op(name=PLAN, out=outputs)
    def plan(config: BackfillConfig) -> Iterator[DynamicOutput[None]]:
        for account, months in config.months.items():
            for month in months:
                yield DynamicOutput(None, mapping_key=Month(month).mapping_key, output_name=account)

    return plan


def _part(account: Account) -> OpDefinition:
    @op(
        name=account.steps,
        ins={"planned": In(Nothing)},
        pool=account.pool,
        retry_policy=MONTH_RETRIES,
    )
    def part(context: OpExecutionContext, config: MonthConfig) -> None:
        month = Month.of_mapping(context.get_mapping_key() or "")
        figures = load_month(context, account, month, config)
        context.log_event(
            AssetMaterialization(
                asset_key=history_key(account), partition=month.partition, metadata=figures
            )
        )

    return part


def run_config(
    accounts: Sequence[Account], months: dict[str, list[str]], *, again: bool, log_level: str
) -> dict[str, Any]:
    """What the job is given to load some months of each account."""
    steps = {account.steps: {"config": {"again": again}} for account in accounts}
    return {
        "ops": {PLAN: {"config": {"months": months}}, **steps},
        "loggers": {"console": {"config": {"log_level": log_level}}},
    }
