"""Dagster's home, which several commands may open at once."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from dagster import DagsterInstance


def open_home() -> DagsterInstance:
    """Open the history in DAGSTER_HOME, one process at a time.

    Dagster creates its SQLite tables when it finds none, and a second process that found none
    either ends in "table already exists".
    """
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        sys.exit("DAGSTER_HOME is not set; start this with `meltano invoke`, which sets it.")
    with (Path(home) / "opening.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return DagsterInstance.get()


def dev() -> None:
    """Become `dagster dev`."""
    open_home().dispose()
    module = "email_events_orchestration.definitions"
    os.execvp("dagster", ["dagster", "dev", "--module-name", module, *sys.argv[1:]])  # noqa: S606, S607 - of this environment
