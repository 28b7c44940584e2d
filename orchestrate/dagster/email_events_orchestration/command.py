"""`email-events-backfill`: load past months, wait for them, and say what became of each."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from dagster import execute_job, reconstructable

from email_events_orchestration.backfill import run_config
from email_events_orchestration.configuration import read_configuration
from email_events_orchestration.definitions import backfill
from email_events_orchestration.errors import ConfigurationError
from email_events_orchestration.executors import executor_of
from email_events_orchestration.home import open_home
from email_events_orchestration.loading import history_key
from email_events_orchestration.months import Month, select_months
from email_events_orchestration.report import FIGURES, Outcome, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagster import DagsterInstance, JobExecutionResult

    from email_events_orchestration.configuration import Account, Configuration


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
        with execute_job(reconstructable(backfill), instance, settings) as result:
            outcomes = _outcomes(result)
    print(table(accounts, months, wanted, outcomes))
    missing = sum(map(len, wanted.values())) - sum(each.loaded for each in outcomes.values())
    return 1 if missing else 0


def _outcomes(result: JobExecutionResult) -> dict[str, Outcome]:
    """The outcome of each step that came to an end, by its key."""
    outcomes = {}
    for event in result.get_step_failure_events():
        cause = event.step_failure_data.user_failure_data
        reason = cause.description if cause else event.step_failure_data.error_display_string
        outcomes[str(event.step_key)] = Outcome(f"failed: {reason}")
    for event in result.get_asset_materialization_events():
        metadata = event.step_materialization_data.materialization.metadata
        figures = tuple(float(str(metadata[name].value)) for name in FIGURES)
        outcomes[str(event.step_key)] = Outcome("loaded", figures)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
