"""The job log: one line of JSON for each run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from target_amplitude.common.output import open_private, write_all
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from pathlib import Path


class JobLog:
    """Append-only file at `job_log_path`, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            RunFailedError: If it cannot be opened for appending.
        """
        try:
            self._file = open_private(path, os.O_APPEND)
        except OSError as failure:
            raise RunFailedError(
                f"Setting job_log_path {path} cannot be written to: {failure.strerror}; "
                "name another path.",
            ) from None

    def append(self, run: dict[str, Any]) -> None:
        """Append a run.

        Raises:
            OSError: If it cannot be written.
        """
        write_all(self._file, msgspec.json.encode(run) + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_runs(path: Path) -> list[dict[str, Any]]:
    """Read the runs of a job log, oldest first, without lines that cannot be read.

    Raises:
        OSError: If the file cannot be read.
    """
    return read_job_log(path)[0]


def read_job_log(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Read the runs of a job log, oldest first, and count the lines that cannot be read.

    Raises:
        OSError: If the file cannot be read.
    """
    runs, unreadable = [], 0
    for line in path.read_bytes().split(b"\n"):
        if not line.strip():
            continue
        try:
            run = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeError):
            run = None
        if isinstance(run, dict):
            runs.append(run)
        else:
            unreadable += 1
    return runs, unreadable
