"""Dagster's home, which several commands may open at once."""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dagster import DagsterInstance

from email_events_orchestration.database import wait_for_outages

if TYPE_CHECKING:
    from collections.abc import Iterator


def open_home() -> DagsterInstance:
    """Open the history in DAGSTER_HOME, one process at a time.

    Dagster creates its SQLite tables when it finds none, and a second process that found none
    either ends in "table already exists".
    """
    wait_for_outages()
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        sys.exit("DAGSTER_HOME is not set; start this with `meltano invoke`, which sets it.")
    with (Path(home) / "opening.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return DagsterInstance.get()


@contextmanager
def alive(name: str) -> Iterator[None]:
    """Show to other commands of this home that the one of this name is at work."""
    path = Path(os.environ["DAGSTER_HOME"]) / f"{name}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        path.unlink()


def was_killed(name: str) -> bool:
    """Whether a command of this home has gone without a word."""
    path = Path(os.environ["DAGSTER_HOME"]) / f"{name}.lock"
    try:
        with path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


def dev() -> None:
    """Become `dagster dev`."""
    open_home().dispose()
    module = "email_events_orchestration.definitions"
    os.execvp("dagster", ["dagster", "dev", "--module-name", module, *sys.argv[1:]])  # noqa: S606, S607 - of this environment
