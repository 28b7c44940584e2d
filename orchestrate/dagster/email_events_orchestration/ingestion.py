"""One run of an account's pipeline: of a month, or of what is new."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from email_events_orchestration import meltano
from email_events_orchestration.errors import PartError
from email_events_orchestration.job_log import read_last_run, summarize
from email_events_orchestration.limits import share

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from email_events_orchestration.configuration import Account
    from email_events_orchestration.months import Month

# HubSpot counts requests in a rolling ten seconds.
WINDOW_SECONDS = 10.5


def ingest_new(account: Account, instance: DagsterInstance) -> dict[str, Any]:
    """Run the pipeline from its bookmarks on and return figures of what it brought.

    Raises:
        PartError: It did not get to its end.
    """
    return _run(account, instance, {}, ())


def ingest_month(
    account: Account, month: Month, instance: DagsterInstance, *, again: bool, attempt: int
) -> dict[str, Any]:
    """Run the pipeline over one month, from this month's own bookmarks on.

    Args:
        account: Whose events.
        month: Which of them.
        instance: Where the pool of the account is.
        again: Read the month from its beginning, whatever is bookmarked.
        attempt: 0 for the first; a later one takes over from one that has died.

    Raises:
        PartError: It did not get to its end.
    """
    # Meltano takes a killed run for a running one, for five minutes.
    options = ["--force"] if attempt else []
    state_id = meltano.state_id(account.tap, account.target, month.state_id_suffix)
    if again and not attempt:
        meltano.forget_bookmarks(state_id)
    environment = {
        meltano.variable(account.tap, "start_date"): month.start,
        meltano.variable(account.tap, "end_date"): month.end,
        # Meltano's variable, not its flag, of which the target does not hear.
        "MELTANO_RUN_STATE_ID_SUFFIX": month.state_id_suffix,
    }
    figures = _run(account, instance, environment, options)
    reached = meltano.bookmarks(state_id)
    behind = sorted(name for name, instant in reached.items() if instant < month.end)
    if behind or not reached:
        raise PartError(
            f"{account.name} {month.name} is read in part only ({', '.join(behind) or 'no stream'}"
            " not to its end), as when a daily limit is used up; run the month again later, it "
            "goes on from there."
        )
    return {"range": f"{month.start} to {month.end}", **figures}


def _run(
    account: Account,
    instance: DagsterInstance,
    environment: dict[str, str],
    options: list[str] | tuple[str, ...],
) -> dict[str, Any]:
    requests = share(account, instance)
    with tempfile.TemporaryDirectory() as folder:
        job_log = Path(folder) / "jobs.jsonl"
        try:
            meltano.run(
                *options,
                *account.run,
                environment={
                    **meltano.private_system_folder(Path(folder)),
                    **environment,
                    meltano.variable(account.tap, "requests_per_10_seconds"): str(requests),
                    meltano.variable(account.target, "job_log_path"): str(job_log),
                },
            )
        finally:
            # Or whoever gets the place next would add its share to this run's last requests.
            time.sleep(WINDOW_SECONDS)
        run = read_last_run(job_log)
    if run.get("complete") is False:
        raise PartError(
            f"{account.name} is read in part only ({run['outcome']}); run it again later, it goes "
            "on from there."
        )
    return {**summarize(run), "hubspot_requests_per_10_seconds": requests}
