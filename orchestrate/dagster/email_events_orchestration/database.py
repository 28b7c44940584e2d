"""Dagster's PostgreSQL, which several machines share; on one machine there is none."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from email_events_orchestration.errors import PartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster import DagsterInstance

OUTAGE = 60
"""Seconds for a database to come back, in each of the six attempts that Dagster makes."""

PAUSE = 2
LATER = 20
"""Seconds after a restart of the database until those that wait for a lock ask for it."""

PASSING = ("Connection refused", "is starting up", "is shutting down", "closed the connection")
"""What psycopg2 says while a server restarts; it has no codes for these."""

LONGEST = 86_400
"""Seconds that a run of a month may take, for which one that was handed out again waits."""

SETTINGS = {
    "lock_timeout": f"{LONGEST}s",
    # Or the lock of a machine that lost its power would outlive it by hours.
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

logger = logging.getLogger(__name__)


def wait_for_outages() -> None:
    """Have every connection of this process wait for a database that does not answer."""
    if not event.contains(Engine, "do_connect", _connect):
        event.listen(Engine, "do_connect", _connect)


def _connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    until = time.monotonic() + OUTAGE
    while True:
        try:
            return dialect.connect(*arguments, **options)
        except dialect.loaded_dbapi.OperationalError as error:  # noqa: PERF203 - until it succeeds
            if time.monotonic() > until or not any(word in str(error) for word in PASSING):
                raise
            logger.warning("The database does not answer; it is waited for.")
            time.sleep(PAUSE)


@contextmanager
def only_run(name: str, instance: DagsterInstance) -> Iterator[tuple[int, ...]]:
    """Hold a lock for a run that a broker may hand out twice.

    Gives the descriptors that a child has to inherit: the lock lasts until the last process with
    its connection is gone, also after a `kill -9` of its parent.

    Raises:
        PartError: Another run of the same name does not end.
    """
    url = getattr(instance.event_log_storage, "postgres_url", None)
    if url is None:
        yield ()
        return
    connection = _lock(url, name, later=LATER)
    released = threading.Event()
    keeper = threading.Thread(target=_keep, args=(url, name, connection, released), daemon=True)
    keeper.start()
    try:
        yield (connection.fileno(),)
    finally:
        released.set()
        keeper.join(LATER)


def _lock(url: str, name: str, *, later: float) -> Any:
    """Return a connection that has the lock, however often the database goes away meanwhile."""
    import psycopg2  # noqa: PLC0415 - comes with dagster-postgres

    options = " ".join(f"-c {setting}={value}" for setting, value in SETTINGS.items())
    until = time.monotonic() + LONGEST
    restarted = False
    while True:
        try:
            connection = psycopg2.connect(url, options=options)
            connection.autocommit = True
            if restarted:
                time.sleep(later)
            connection.cursor().execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        except psycopg2.errors.LockNotAvailable:  # noqa: PERF203 - until it succeeds
            raise PartError(f"{name} is still at work elsewhere; run it again later.") from None
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise PartError("Dagster's database is away; run this again later.") from None
            restarted = True
            time.sleep(PAUSE)
        else:
            return connection


def _keep(url: str, name: str, connection: Any, released: threading.Event) -> None:
    """Take the lock again when the database was restarted, before those that wait for it."""
    import psycopg2  # noqa: PLC0415 - comes with dagster-postgres

    while not released.wait(PAUSE):
        try:
            connection.cursor().execute("SELECT 1")
        except psycopg2.Error:  # noqa: PERF203 - as above
            connection = _lock(url, name, later=0)
    connection.close()
