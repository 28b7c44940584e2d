"""What Dagster shows: for each account its history by month, and its hourly increments."""

# Dagster reads annotations of contexts and configurations at run time, so none are postponed.
from datetime import datetime
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    Backoff,
    Config,
    Failure,
    MaterializeResult,
    MetadataValue,
    MonthlyPartitionsDefinition,
    OpExecutionContext,
    RetryPolicy,
    asset,
)

from email_events_orchestration.configuration import Account
from email_events_orchestration.errors import PartError
from email_events_orchestration.ingestion import ingest_month, ingest_new
from email_events_orchestration.months import Month

GROUP = "hubspot_email_events"
PART_RETRIES = RetryPolicy(max_retries=3, delay=11, backoff=Backoff.EXPONENTIAL)
# Meltano takes a killed run for a running one for five minutes, and nothing else is in a hurry.
INCREMENT_RETRIES = RetryPolicy(max_retries=3, delay=60, backoff=Backoff.EXPONENTIAL)


class MonthConfig(Config):
    """How a month is loaded."""

    again: bool = False


def history_key(account: Account) -> AssetKey:
    """The asset of an account's months."""
    return AssetKey(["email_events_by_month", account.name])


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
        retry_policy=PART_RETRIES,
        description=f"Email events of the HubSpot account {account.name}, a month each.",
        kinds={"hubspot", "amplitude"},
    )
    def months_of_account(
        context: AssetExecutionContext, config: MonthConfig
    ) -> MaterializeResult[Any]:
        month = Month.of_partition(context.partition_key)
        return MaterializeResult(metadata=load_month(context, account, month, again=config.again))

    return months_of_account


def load_month(
    context: AssetExecutionContext | OpExecutionContext,
    account: Account,
    month: Month,
    *,
    again: bool,
) -> dict[str, MetadataValue[Any]]:
    """Load a month, as an asset or as a step of a backfill; returns its figures.

    Raises:
        Failure: It could not be loaded; the text says why.
    """
    attempt = context.retry_number
    try:
        figures = ingest_month(account, month, context.instance, again=again, attempt=attempt)
    except PartError as error:
        raise Failure(str(error)) from None
    return metadata(figures, attempt)


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
        try:
            figures = ingest_new(account, context.instance)
        except PartError as error:
            raise Failure(str(error)) from None
        return MaterializeResult(metadata=metadata(figures, context.retry_number))

    return new_of_account


def metadata(figures: dict[str, Any], retries: int) -> dict[str, MetadataValue[Any]]:
    """Figures in the kinds that Dagster draws as curves."""
    return {name: _value(figure) for name, figure in {**figures, "attempts": retries + 1}.items()}


def _value(figure: Any) -> MetadataValue[Any]:
    if isinstance(figure, float):
        return MetadataValue.float(figure)
    return MetadataValue.int(figure) if isinstance(figure, int) else MetadataValue.text(figure)
