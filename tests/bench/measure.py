"""Runs commands and measures them: seconds, CPU and peak memory of each process."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class RunFailedError(Exception):
    """A measured command ended with another exit code than 0."""


@dataclass(frozen=True)
class ProcessCost:
    """What one process took: seconds of CPU, peak memory in bytes, its children's included."""

    name: str
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Measurement:
    """One run of a pipe of processes."""

    seconds: float
    processes: tuple[ProcessCost, ...]


def measure(
    commands: Mapping[str, Sequence[str]],
    *,
    stdin: Path | None = None,
    stdout: Path | None = None,
    log: Path,
) -> Measurement:
    """Run the commands as a pipe, in the order given, and measure each.

    Raises:
        RunFailedError: One ended with another exit code than 0; the log says why.
    """
    names = list(commands)
    source = stdin.open("rb") if stdin else None
    sink = stdout.open("wb") if stdout else None
    started = time.perf_counter()
    processes: list[subprocess.Popen[bytes]] = []
    upstream: IO[bytes] | None = source
    with log.open("ab") as errors:
        for name in names:
            last = name == names[-1]
            process = subprocess.Popen(
                commands[name],
                stdin=upstream or subprocess.DEVNULL,
                stdout=(sink or subprocess.DEVNULL) if last else subprocess.PIPE,
                stderr=errors,
            )
            if upstream:
                upstream.close()
            upstream = process.stdout
            processes.append(process)
        costs = [_wait(process, name) for process, name in zip(processes, names, strict=True)]
    seconds = time.perf_counter() - started
    if sink:
        sink.close()
    return Measurement(seconds, tuple(costs))


def _wait(process: subprocess.Popen[bytes], name: str) -> ProcessCost:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RunFailedError(f"{name} ended with exit code {process.returncode}")
    return ProcessCost(name, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
