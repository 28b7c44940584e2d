"""`email-events-backfill`: load past months, wait for them, and say which failed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from dagster import DagsterInstance, execute_job, reconstructable

from email_events_orchestration.backfill import PLAN, part_name
from email_events_orchestration.configuration import read_configuration
from email_events_orchestration.definitions import backfill
from email_events_orchestration.errors import ConfigurationError
from email_events_orchestration.executors import executor_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from email_events_orchestration.configuration import Configuration


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if every month was loaded, else 1."""
    parser = argparse.ArgumentParser(prog="email-events-backfill", description=__doc__)
    parser.add_argument("--from", dest="first", required=True, metavar="2025-01")
    parser.add_argument("--to", dest="last", required=True, metavar="2025-12")
    parser.add_argument("--account", action="append", default=[], help="all where none is named")
    parser.add_argument("--again", action="store_true", help="also months that have been loaded")
    options = parser.parse_args(arguments)
    try:
        configuration = read_configuration()
        run_config = _run_config(configuration, options)
        executor_of(configuration)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    with (
        DagsterInstance.get() as instance,
        execute_job(reconstructable(backfill), instance, run_config) as result,
    ):
        failed = [event.step_key for event in result.get_step_failure_events()]
        for step in failed:
            print(f"{step} failed.", file=sys.stderr)
        if not result.success:
            print(
                f"Run {result.run_id} failed; the same command loads what is missing.",
                file=sys.stderr,
            )
        return 0 if result.success else 1


def _run_config(configuration: Configuration, options: argparse.Namespace) -> dict[str, Any]:
    known = {account.name for account in configuration.accounts}
    if unknown := set(options.account) - known:
        raise ConfigurationError(
            f"There is no account {', '.join(sorted(unknown))}; "
            f"the configuration has {', '.join(sorted(known))}."
        )
    plan = {
        "first_month": options.first,
        "last_month": options.last,
        "accounts": options.account,
        "again": options.again,
    }
    parts = {
        part_name(account): {"config": {"again": options.again}}
        for account in configuration.accounts
    }
    return {"ops": {PLAN: {"config": plan}, **parts}}


if __name__ == "__main__":
    sys.exit(main())
