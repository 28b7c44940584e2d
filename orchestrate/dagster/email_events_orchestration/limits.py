"""The share of an account's request limit that each of the parts read at once may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from email_events_orchestration.errors import PartError

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from email_events_orchestration.configuration import Account


def share(account: Account, instance: DagsterInstance) -> int:
    """Requests in 10 seconds for one part: the account's, divided by its pool's places.

    Raises:
        PartError: Nothing limits how many parts run at once, or there are more than requests.
    """
    # Dagster has no public way to ask for a pool's limit.
    limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    places = limits.get(account.pool)
    if not places:
        raise PartError(
            f"The pool {account.pool} has no limit; set one with "
            f"`dagster instance concurrency set {account.pool} 4`."
        )
    if places > account.requests_per_10_seconds:
        raise PartError(
            f"The pool {account.pool} has more places than the account has requests in 10 "
            "seconds; lower it."
        )
    return account.requests_per_10_seconds // places
