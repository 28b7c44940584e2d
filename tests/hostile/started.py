"""A plugin's command in a process that was started in an odd way: `run` says how."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

from forked import Forked

PATIENCE = 60
PIPE_SECONDS = 0.2
MB = 1_000_000


class Ended(NamedTuple):
    """How a process has ended, what it wrote, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float


def run(
    command: str,
    *arguments: str,
    folder: Path,
    config: dict[str, Any] | None = None,
    stdin: bytes = b"",
    variables: dict[str, str] | None = None,
    **odd: Any,
) -> Ended:
    """Run a command in a folder, with settings in a file, started in an odd way.

    `closed` lists standard descriptors that are closed, `full` those that lead to a full disk;
    `descriptors` are open before; `memory` is what the process may take beside what it has, and
    `file` how large a file may become, in bytes.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_HUBSPOT", "TARGET_AMPLITUDE"))
    }
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
        arguments = ("--config", "config.json", *arguments)
    begun = time.monotonic()
    with Forked(
        "hostile.started",
        json.dumps(odd),
        command,
        *arguments,
        environment=environment | (variables or {}),
        folder=folder,
        stdin=stdin,
    ) as process:
        out, err = process.communicate(PATIENCE)
    return Ended(
        process.returncode,
        out.decode(errors="surrogateescape"),
        err.decode(errors="surrogateescape"),
        time.monotonic() - begun,
    )


def _prepare(
    closed: tuple[int, ...] = (),
    full: tuple[int, ...] = (),
    descriptors: int = 0,
    memory: int = 0,
    file: int = 0,
) -> None:
    for package in ("tap_hubspot_email_events", "target_amplitude"):
        vars(import_module(f"{package}.common.output"))["_PIPE_SECONDS"] = PIPE_SECONDS
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
    _prepare(**json.loads(sys.argv[1]))
    sys.argv = sys.argv[2:]
    [script] = entry_points(group="console_scripts", name=sys.argv[0])
    script.load()()
