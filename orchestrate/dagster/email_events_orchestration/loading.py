"""Loading an account's events as Dagster sees it: one run of its pipeline, and its figures."""

# Dagster reads annotations of contexts and configurations at run time, so none are postponed.
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
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

from email_events_orchestration import meltano
from email_events_orchestration.configuration import Account
from email_events_orchestration.database import only_run
from email_events_orchestration.errors import PartError
from email_events_orchestration.job_log import read_last_run, summarize
from email_events_orchestration.limits import share
from email_events_orchestration.months import Month

MONTH_RETRIES = RetryPolicy(max_retries=3, delay=11, backoff=Backoff.EXPONENTIAL)
# Meltano takes a killed run for a running one for five minutes, and nothing else is in a hurry.
INCREMENT_RETRIES = RetryPolicy(max_retries=3, delay=60, backoff=Backoff.EXPONENTIAL)

WINDOW_SECONDS = 10.5
"""HubSpot counts requests in a rolling ten seconds."""

Context = AssetExecutionContext | OpExecutionContext
Metadata = Mapping[str, MetadataValue[Any]]


class MonthConfig(Config):
    """How a month is loaded."""

    again: bool = False


def history_key(account: Account) -> AssetKey:
    """The asset of an account's months."""
    return AssetKey(["email_events_by_month", account.name])


def load_month(context: Context, account: Account, month: Month, config: MonthConfig) -> Metadata:
    """Load a month, as an asset or as a step of a backfill, from its own bookmarks on.

    Returns:
        Its figures.

    Raises:
        Failure: It could not be loaded; the text says why.
    """
    state_id = meltano.state_id(account.tap, account.target, month.state_id_suffix)
    environment = {
        meltano.variable(account.tap, "start_date"): month.start,
        meltano.variable(account.tap, "end_date"): month.end,
        # Meltano's variable, not its flag, of which the target does not hear.
        "MELTANO_RUN_STATE_ID_SUFFIX": month.state_id_suffix,
    }
    with _turn(context, state_id) as lock:
        figures = _loaded_meanwhile(context, account, month)
        if figures is None:
            if config.again and not context.retry_number:
                meltano.forget_bookmarks(state_id)
            # Meltano takes a killed run for a running one, for five minutes.
            force = context.retry_number > 0 or bool(lock)
            figures = _run(context, account, state_id, lock, environment, force=force)
    return {
        **figures,
        "range": MetadataValue.text(f"{month.start} to {month.end}"),
        **_attempts(context),
    }


def load_new(context: Context, account: Account) -> Metadata:
    """Load what is new in an account, from the bookmarks of the hourly run on.

    Returns:
        Its figures.

    Raises:
        Failure: It could not be loaded; the text says why.
    """
    state_id = meltano.state_id(account.tap, account.target)
    with _turn(context, state_id) as lock:
        return {**_run(context, account, state_id, lock, {}), **_attempts(context)}


@contextmanager
def _turn(context: Context, state_id: str) -> Iterator[tuple[int, ...]]:
    """Wait until nothing else reads under this state id, and HubSpot counts its requests no more.

    Raises:
        Failure: That does not come, or what is done then fails.
    """
    try:
        with only_run(state_id, context.instance) as lock:
            # Whoever had the place before, and may have been killed, made its last requests just
            # now.
            time.sleep(WINDOW_SECONDS)
            yield lock
    except PartError as error:
        raise Failure(str(error)) from None


def _loaded_meanwhile(context: Context, account: Account, month: Month) -> Metadata | None:
    """The figures of this month in this run, where a broker handed it to another worker too."""
    records = AssetRecordsFilter(asset_key=history_key(account), asset_partitions=[month.partition])
    for record in context.instance.fetch_materializations(records, limit=1).records:
        if record.run_id == context.run_id and record.asset_materialization:
            return record.asset_materialization.metadata
    return None


def _run(  # noqa: PLR0913 - of one run
    context: Context,
    account: Account,
    state_id: str,
    lock: tuple[int, ...],
    environment: dict[str, str],
    *,
    force: bool = False,
) -> Metadata:
    requests = share(account, context.instance)
    started = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    log_variable = meltano.variable(account.target, "job_log_path")
    job_log = meltano.root() / (os.environ.get(log_variable) or "output/jobs.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        meltano.run(
            *(["--force"] if force else []),
            *account.run,
            environment={
                **meltano.private_system_folder(Path(folder)),
                **environment,
                meltano.variable(account.tap, "requests_per_10_seconds"): str(requests),
                log_variable: str(job_log),
            },
            inherited=lock,
        )
    figures = summarize(read_last_run(job_log, state_id, started))
    figures["hubspot_requests_per_10_seconds"] = requests
    return {name: _value(figure) for name, figure in figures.items()}


def _attempts(context: Context) -> Metadata:
    # Dagster's own number does not know of a part that a broker handed out twice.
    step = context.get_step_execution_context().step.key
    (stats,) = context.instance.get_run_step_stats(context.run_id, [step])
    return {"attempts": MetadataValue.int(stats.attempts or 1)}


def _value(figure: Any) -> MetadataValue[Any]:
    """A figure in the kind that Dagster draws as a curve."""
    if isinstance(figure, float):
        return MetadataValue.float(figure)
    return MetadataValue.int(figure) if isinstance(figure, int) else MetadataValue.text(figure)
