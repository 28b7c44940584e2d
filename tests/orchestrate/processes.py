"""The processes of a project, as the system shows them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = b"MELTANO_RUN_STATE_ID_SUFFIX"
"""The variable that tells a run of a month, and its plugins, from others."""


def processes(folder: Path) -> Iterator[tuple[int, bytes, dict[bytes, bytes]]]:
    """The processes that work in a folder, with their command lines and variables."""
    for process in Path("/proc").iterdir():
        # A process may end while it is looked at, and not every name is a process.
        with suppress(OSError, ValueError):
            if (process / "cwd").readlink().is_relative_to(folder):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                pairs = (process / "environ").read_bytes().split(b"\0")
                variables = dict(pair.split(b"=", 1) for pair in pairs if b"=" in pair)
                yield int(process.name), words, variables


def meltano_runs(folder: Path) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The command lines and variables of each `meltano run` of a month, not of its children."""
    found = {
        pid: (words, variables)
        for pid, words, variables in processes(folder)
        if SUFFIX in variables and b" run " in words
    }
    # A child looks like its parent until it has become the tap or the target.
    with suppress(OSError):
        return [each for pid, each in found.items() if parent(pid) not in found]
    return []


def parent(pid: int) -> int:
    # The name, in brackets, may hold anything.
    return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


def kill_run(folder: Path, month: str) -> bool:
    """Kill the `meltano run` of a month once its plugins are up; False while they are not."""
    suffix = f"month-{month}".encode()
    of_month = [pid for pid, _, variables in processes(folder) if variables.get(SUFFIX) == suffix]
    with suppress(OSError):
        for pid, children in Counter(map(parent, of_month)).items():
            if pid in of_month and children >= 2:
                os.kill(pid, signal.SIGKILL)
                return True
    return False
