"""Loading an account's events as Dagster sees it: how often, with which figures, failing how."""

# Dagster reads annotations of contexts and configurations at run time, so none are postponed.
from collections.abc import Callable
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetRecordsFilter,
    Backoff,
    Config,
    Failure,
    MetadataValue,
    OpExecutionContext,
    RetryPolicy,
)

from email_events_orchestration.configuration import Account
from email_events_orchestration.errors import PartError
from email_events_orchestration.ingestion import ingest_month, ingest_new
from email_events_orchestration.months import Month

MONTH_RETRIES = RetryPolicy(max_retries=3, delay=11, backoff=Backoff.EXPONENTIAL)
# Meltano takes a killed run for a running one for five minutes, and nothing else is in a hurry.
INCREMENT_RETRIES = RetryPolicy(max_retries=3, delay=60, backoff=Backoff.EXPONENTIAL)

Context = AssetExecutionContext | OpExecutionContext
Metadata = dict[str, MetadataValue[Any]]


class MonthConfig(Config):
    """How a month is loaded."""

    again: bool = False


def history_key(account: Account) -> AssetKey:
    """The asset of an account's months."""
    return AssetKey(["email_events_by_month", account.name])


def load_month(context: Context, account: Account, month: Month, config: MonthConfig) -> Metadata:
    """Load a month, as an asset or as a step of a backfill; returns its figures.

    Raises:
        Failure: It could not be loaded; the text says why.
    """
    key = history_key(account)

    def done() -> dict[str, Any] | None:
        """The figures of this month in this run, where a broker handed it to another worker too."""
        records = AssetRecordsFilter(asset_key=key, asset_partitions=[month.partition])
        for record in context.instance.fetch_materializations(records, limit=1).records:
            if record.run_id == context.run_id and record.asset_materialization:
                metadata = record.asset_materialization.metadata
                return {name: value.value for name, value in metadata.items()}
        return None

    return _figures(
        context,
        lambda: ingest_month(
            account,
            month,
            context.instance,
            again=config.again,
            attempt=context.retry_number,
            done=done,
        ),
    )


def load_new(context: Context, account: Account) -> Metadata:
    """Load what is new in an account; returns its figures.

    Raises:
        Failure: It could not be loaded; the text says why.
    """
    return _figures(context, lambda: ingest_new(account, context.instance))


def _figures(context: Context, load: Callable[[], dict[str, Any]]) -> Metadata:
    """What `load` returns, in the kinds that Dagster draws as curves."""
    try:
        figures = load()
    except PartError as error:
        raise Failure(str(error)) from None
    step = context.get_step_execution_context().step.key
    # Dagster's own number does not know of a part that a broker handed out twice.
    (stats,) = context.instance.get_run_step_stats(context.run_id, [step])
    figures["attempts"] = stats.attempts or 1
    return {name: _value(figure) for name, figure in figures.items()}


def _value(figure: Any) -> MetadataValue[Any]:
    if isinstance(figure, float):
        return MetadataValue.float(figure)
    return MetadataValue.int(figure) if isinstance(figure, int) else MetadataValue.text(figure)
