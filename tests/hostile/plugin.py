"""`python -m hostile.plugin START COMMAND ...`: a plugin's command in an odd process.

START is what `hostile.runner.run` says of the process, as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


PEAK = "peak"
"""The file that says how much memory the process had at most, in KB."""


def prepare(  # noqa: PLR0913 - what a process has
    limits: Mapping[str, float],
    *,
    closed: Iterable[int] = (),
    full: Iterable[int] = (),
    descriptors: int = 0,
    memory: int = 0,
    file: int = 0,
) -> None:
    """Make this process as odd as the parameters say."""
    for path, value in limits.items():
        module, _, name = path.rpartition(".")
        namespace = vars(import_module(module))
        assert name in namespace, path
        namespace[name] = value
    for _ in range(descriptors):
        os.dup(2)
    # Python leaves None where a descriptor is closed at its start.
    for number in closed:
        os.close(number)
        setattr(sys, ("stdin", "stdout", "stderr")[number], None)
    for number in full:
        descriptor = os.open("/dev/full", os.O_WRONLY)
        os.dup2(descriptor, number)
    if file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file, file))
    if memory:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    prepare(**json.loads(sys.argv[1]))
    sys.argv = sys.argv[2:]
    [script] = entry_points(group="console_scripts", name=sys.argv[0])
    try:
        script.load()()
    finally:
        # Where memory or disk are what it lacks, nobody asks.
        with suppress(MemoryError, OSError):
            Path(PEAK).write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
