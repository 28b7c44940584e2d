"""The job log: one line of JSON for each run."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from target_amplitude.common.output import explained, open_output, read_file, write_file
from target_amplitude.errors import RunFailedError
from target_amplitude.history.runs import LoggedRun

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 10_000_000
"""From this size on the file is renamed, and takes the place of the one renamed before."""

_MOST_READ = 2 * MAX_BYTES
"""Of a larger file, which is no job log or a damaged one, only the end is read."""


class JobLog:
    """Append-only file at `job_log_path`, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        """Make the file where there is none.

        Raises:
            RunFailedError: If it cannot be opened for appending.
        """
        self._path = path
        problem = f"Setting job_log_path {path} cannot be written to"
        with explained(problem, "name another path", RunFailedError):
            write_file(path, b"", append=True, private=True)

    def append(self, run: dict[str, Any]) -> None:
        """Append a run; other processes may do so at the same time.

        Raises:
            OSError: If it cannot be written.
        """
        self._rotate()
        line = f"{json.dumps(run)}\n".encode("ascii")
        write_file(self._path, line, append=True, private=True)

    def _rotate(self) -> None:
        """Rename the file if it is large, unless another process is about to."""
        file = open_output(self._path, append=True)
        try:
            if os.fstat(file).st_size < MAX_BYTES:
                return
            with suppress(OSError):  # another process has the lock, or there are none here
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(file), self._path.stat()):
                    self._path.replace(older_file(self._path))
        finally:
            os.close(file)


def older_file(path: Path) -> Path:
    """Return where the older runs of a job log are."""
    return Path(f"{path}.1")


def read_job_log(path: Path) -> tuple[list[LoggedRun], int]:
    """Read the runs of a job log, oldest first, and count the lines that cannot be read.

    Raises:
        OSError: If the file cannot be read.
    """
    lines: list[bytes] = []
    # The newer one first, so that no run is missed if it is renamed meanwhile.
    for file in (path, older_file(path)):
        with suppress(FileNotFoundError):
            lines = read_file(file, last=_MOST_READ).split(b"\n") + lines
    if not lines:
        raise FileNotFoundError(path)
    runs, unreadable = [], 0
    for line in lines:
        if not line.strip():
            continue
        try:
            run = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            run = None
        if isinstance(run, dict):
            runs.append(LoggedRun(run))
        else:
            unreadable += 1
    return runs, unreadable


def state_id(variables: Mapping[str, str]) -> str | None:
    """Return the state id that Meltano keeps this run's bookmarks under, by its variables."""
    names = ("MELTANO_ENVIRONMENT", "MELTANO_EXTRACTOR_NAME", "MELTANO_LOADER_NAME")
    environment, tap, target = map(variables.get, names)
    if not (environment and tap and target):
        return None
    suffix = variables.get("MELTANO_RUN_STATE_ID_SUFFIX")
    return f"{environment}:{tap}-to-{target}" + (f":{suffix}" if suffix else "")
