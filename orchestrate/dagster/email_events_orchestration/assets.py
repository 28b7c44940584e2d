"""What Dagster shows: for each account its history by month, and its hourly increments."""

# Dagster reads annotations of contexts and configurations at run time, so none are postponed.
from datetime import datetime
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    MonthlyPartitionsDefinition,
    asset,
)

from email_events_orchestration.configuration import Account
from email_events_orchestration.loading import (
    INCREMENT_RETRIES,
    MONTH_RETRIES,
    MonthConfig,
    history_key,
    load_month,
    load_new,
)
from email_events_orchestration.months import Month

GROUP = "hubspot_email_events"


def months_since(first_month: str) -> MonthlyPartitionsDefinition:
    """The whole months since a first one; the present month is the hourly schedule's."""
    return MonthlyPartitionsDefinition(start_date=datetime.fromisoformat(f"{first_month}-01"))


def history(account: Account, months: MonthlyPartitionsDefinition) -> AssetsDefinition:
    """The months of an account; several at once stay within the account's limit."""

    @asset(
        key=history_key(account),
        partitions_def=months,
        pool=account.pool,
        group_name=GROUP,
        retry_policy=MONTH_RETRIES,
        description=f"Email events of the HubSpot account {account.name}, a month each.",
        kinds={"hubspot", "amplitude"},
    )
    def months_of_account(
        context: AssetExecutionContext, config: MonthConfig
    ) -> MaterializeResult[Any]:
        month = Month.of_partition(context.partition_key)
        return MaterializeResult(metadata=load_month(context, account, month, config))

    return months_of_account


def increments(account: Account) -> AssetsDefinition:
    """What is new in an account, from the bookmarks that `meltano run` uses anywhere else."""

    @asset(
        key=AssetKey(["email_events", account.name]),
        pool=account.pool,
        group_name=GROUP,
        retry_policy=INCREMENT_RETRIES,
        description=f"New email events of the HubSpot account {account.name}, hour by hour.",
        kinds={"hubspot", "amplitude"},
    )
    def new_of_account(context: AssetExecutionContext) -> MaterializeResult[Any]:
        return MaterializeResult(metadata=load_new(context, account))

    return new_of_account
