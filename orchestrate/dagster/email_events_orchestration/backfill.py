"""A backfill as one run: a step for each account and month, side by side on the job's executor."""

# Dagster reads annotations of contexts and configurations at run time, so none are postponed.
from collections.abc import Iterator, Sequence

from dagster import (
    AssetMaterialization,
    Config,
    DynamicOut,
    DynamicOutput,
    In,
    JobDefinition,
    MonthlyPartitionsDefinition,
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

    first_month: str = Field(description="Such as 2025-01.")
    last_month: str = Field(description="Such as 2025-12; included.")
    accounts: list[str] = Field(default=[], description="All where none is named.")
    again: bool = Field(default=False, description="Also the months that have been loaded.")


def backfill_job(accounts: Sequence[Account], months: MonthlyPartitionsDefinition) -> JobDefinition:
    """The job; its executor is the one of the whole repository."""
    plan = _plan(accounts, months)
    parts = {account.name: _part(account) for account in accounts}

    @graph(name=JOB, description="Past months of every account, side by side.")
    def backfill() -> None:
        planned = plan()
        outputs = [planned] if len(accounts) == 1 else list(planned)
        for account, output in zip(accounts, outputs, strict=True):
            output.map(parts[account.name])

    return backfill.to_job(name=JOB)


def _plan(accounts: Sequence[Account], months: MonthlyPartitionsDefinition) -> OpDefinition:
    # Nothing is handed on but the name of the month, so that no storage has to be shared.
    outputs = {account.name: DynamicOut(Nothing, is_required=False) for account in accounts}

    @op(name=PLAN, out=outputs)
    def plan(context: OpExecutionContext, config: BackfillConfig) -> Iterator[DynamicOutput[None]]:
        wanted = [
            key
            for key in months.get_partition_keys()
            if config.first_month <= Month.of_partition(key).name <= config.last_month
        ]
        for account in accounts:
            if config.accounts and account.name not in config.accounts:
                continue
            done = context.instance.get_materialized_partitions(history_key(account))
            for key in wanted:
                if config.again or key not in done:
                    month = Month.of_partition(key).name.replace("-", "_")
                    yield DynamicOutput(None, mapping_key=month, output_name=account.name)

    return plan


def _part(account: Account) -> OpDefinition:
    @op(
        name=part_name(account),
        ins={"planned": In(Nothing)},
        pool=account.pool,
        retry_policy=MONTH_RETRIES,
    )
    def part(context: OpExecutionContext, config: MonthConfig) -> None:
        month = Month((context.get_mapping_key() or "").replace("_", "-"))
        figures = load_month(context, account, month, config)
        context.log_event(
            AssetMaterialization(
                asset_key=history_key(account), partition=month.partition, metadata=figures
            )
        )

    return part


def part_name(account: Account) -> str:
    """The name of the steps that load an account's months."""
    return f"months_of_{account.name}"
