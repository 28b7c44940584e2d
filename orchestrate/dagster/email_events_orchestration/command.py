"""`email-events-backfill`: load past months, wait for them, and say what became of each."""

from __future__ import annotations

import argparse
import sys
import uuid
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from dagster import DagsterEventType, RunsFilter, execute_job, reconstructable

from email_events_orchestration.backfill import JOB, run_config
from email_events_orchestration.configuration import read_configuration
from email_events_orchestration.definitions import backfill
from email_events_orchestration.errors import ConfigurationError
from email_events_orchestration.executors import executor_of
from email_events_orchestration.home import alive, open_home, was_killed
from email_events_orchestration.loading import history_key
from email_events_orchestration.months import Month, select_months
from email_events_orchestration.report import FIGURES, Outcome, table
from email_events_orchestration.schedule import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagster import DagsterInstance, EventLogEntry

    from email_events_orchestration.configuration import Account, Configuration

NAME = "email_events/command"
ENDS = {DagsterEventType.STEP_FAILURE, DagsterEventType.ASSET_MATERIALIZATION}
REASON = 300
"""Characters of an error that are enough to know it by; Dagster's hold tracebacks."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if every month is loaded, 1 if one is not, 2 if the command makes no sense."""
    parser = argparse.ArgumentParser(prog="email-events-backfill", description=__doc__)
    parser.add_argument("--from", dest="first", required=True, metavar="2025-01")
    parser.add_argument("--to", dest="last", required=True, metavar="2025-12")
    parser.add_argument("--account", action="append", default=[], help="all where none is named")
    parser.add_argument("--again", action="store_true", help="also months that have been loaded")
    parser.add_argument("--verbose", action="store_true", help="with Dagster's debugging lines")
    options = parser.parse_args(arguments)
    try:
        configuration = read_configuration()
        accounts = _accounts(configuration, options.account)
        months, left_out = select_months(
            Month.parse(options.first),
            Month.parse(options.last),
            first_loadable=Month(configuration.first_month),
            present=Month(f"{datetime.now(timezone.utc):%Y-%m}"),
        )
        executor_of(configuration)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    with open_home() as instance:
        code = _load(configuration, accounts, months, instance, options)
    for sentence in left_out:
        print(sentence)
    return code


def _accounts(configuration: Configuration, names: Sequence[str]) -> list[Account]:
    known = {account.name for account in configuration.accounts}
    if unknown := set(names) - known:
        raise ConfigurationError(
            f"There is no account {', '.join(sorted(unknown))}; "
            f"the configuration has {', '.join(sorted(known))}."
        )
    return [account for account in configuration.accounts if not names or account.name in names]


def _load(
    configuration: Configuration,
    accounts: Sequence[Account],
    months: Sequence[Month],
    instance: DagsterInstance,
    options: argparse.Namespace,
) -> int:
    wanted = {account.name: list(months) for account in accounts}
    if not options.again:
        for account in accounts:
            loaded = instance.get_materialized_partitions(history_key(account))
            wanted[account.name] = [month for month in months if month.partition not in loaded]
    outcomes = {}
    if any(wanted.values()):
        settings = run_config(
            configuration.accounts,
            {name: [month.name for month in of_account] for name, of_account in wanted.items()},
            again=options.again,
            log_level="DEBUG" if options.verbose else "INFO",
        )
        outcomes = _run(instance, settings)
    print(table(accounts, months, wanted, outcomes))
    missing = sum(map(len, wanted.values())) - sum(each.loaded for each in outcomes.values())
    return 1 if missing else 0


def _run(instance: DagsterInstance, settings: dict[str, Any]) -> dict[str, Outcome]:
    """Run the job; returns the outcome of each step that came to an end, by its key."""
    _end_killed_runs(instance)
    name = f"backfill-{uuid.uuid4()}"
    # dagster-celery defines its task anew for each part.
    warnings.filterwarnings("ignore", "Task name 'execute_plan' is already registered")
    with alive(name):
        try:
            with execute_job(reconstructable(backfill), instance, settings, tags={NAME: name}):
                pass
        except Exception as error:  # noqa: BLE001 - whatever a broker or a database raises
            reason = " ".join(str(error).split()) or type(error).__name__
            print(f"The backfill ended before its months did: {reason[:REASON]}", file=sys.stderr)
    (run,) = instance.get_runs(RunsFilter(tags={NAME: name}))
    if not run.is_finished:
        instance.report_run_failed(run)
    return _outcomes(instance.all_logs(run.run_id, of_type=ENDS))


def _end_killed_runs(instance: DagsterInstance) -> None:
    """Take from runs whose command was killed the places they have and wait for."""
    for run in instance.get_runs(RunsFilter(job_name=JOB, statuses=UNFINISHED)):
        if was_killed(run.tags.get(NAME, "")):
            instance.report_run_failed(run, "Its command was killed.")
    # Dagster's daemon does the same, where one runs.
    for run_id in instance.event_log_storage.get_concurrency_run_ids():
        ended = instance.get_run_by_id(run_id)
        if ended is None or ended.is_finished:
            instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _outcomes(entries: Sequence[EventLogEntry]) -> dict[str, Outcome]:
    outcomes = {}
    for event in (entry.get_dagster_event() for entry in entries):
        if event.event_type is DagsterEventType.STEP_FAILURE:
            cause = event.step_failure_data.user_failure_data
            reason = cause.description if cause else event.step_failure_data.error_display_string
            outcomes[str(event.step_key)] = Outcome(f"failed: {reason}")
        else:
            metadata = event.step_materialization_data.materialization.metadata
            figures = tuple(float(str(metadata[name].value)) for name in FIGURES)
            outcomes[str(event.step_key)] = Outcome("loaded", figures)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
