"""One run of an account's pipeline: of a month, or of what is new."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from email_events_orchestration import meltano
from email_events_orchestration.database import only_run
from email_events_orchestration.job_log import read_last_run, summarize
from email_events_orchestration.limits import share

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagster import DagsterInstance

    from email_events_orchestration.configuration import Account
    from email_events_orchestration.months import Month

WINDOW_SECONDS = 10.5
"""HubSpot counts requests in a rolling ten seconds."""


def ingest_new(account: Account, instance: DagsterInstance) -> dict[str, Any]:
    """Run the pipeline from its bookmarks on and return figures of what it brought.

    Raises:
        PartError: It did not get to its end.
    """
    state_id = meltano.state_id(account.tap, account.target)
    with only_run(state_id, instance) as lock:
        _wait_for_the_window()
        return _run(account, instance, state_id, {}, inherited=lock)


def ingest_month(  # noqa: PLR0913 - of one month
    account: Account,
    month: Month,
    instance: DagsterInstance,
    *,
    again: bool,
    attempt: int,
    done: Callable[[], dict[str, Any] | None],
) -> dict[str, Any]:
    """Run the pipeline over one month, from this month's own bookmarks on.

    Args:
        account: Whose events.
        month: Which of them.
        instance: Where the pool of the account is.
        again: Read the month from its beginning, whatever is bookmarked.
        attempt: 0 for the first; a later one takes over from one that has died.
        done: Gives the figures of the same part if it was handed out twice, and the other is done.

    Raises:
        PartError: It did not get to its end.
    """
    state_id = meltano.state_id(account.tap, account.target, month.state_id_suffix)
    environment = {
        meltano.variable(account.tap, "start_date"): month.start,
        meltano.variable(account.tap, "end_date"): month.end,
        # Meltano's variable, not its flag, of which the target does not hear.
        "MELTANO_RUN_STATE_ID_SUFFIX": month.state_id_suffix,
    }
    with only_run(state_id, instance) as lock:
        _wait_for_the_window()
        if (figures := done()) is not None:
            return figures
        if again and not attempt:
            meltano.forget_bookmarks(state_id)
        # Meltano takes a killed run for a running one, for five minutes.
        force = attempt > 0 or bool(lock)
        figures = _run(account, instance, state_id, environment, force=force, inherited=lock)
    return {"range": f"{month.start} to {month.end}", **figures}


def _wait_for_the_window() -> None:
    # Whoever had the place before, and may have been killed, made its last requests just now.
    time.sleep(WINDOW_SECONDS)


def _run(  # noqa: PLR0913 - of one run
    account: Account,
    instance: DagsterInstance,
    state_id: str,
    environment: dict[str, str],
    *,
    force: bool = False,
    inherited: tuple[int, ...] = (),
) -> dict[str, Any]:
    requests = share(account, instance)
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
            inherited=inherited,
        )
    figures = summarize(read_last_run(job_log, state_id, started))
    return {**figures, "hubspot_requests_per_10_seconds": requests}
