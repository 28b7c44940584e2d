"""`python -m orchestrate.costs`: what a month costs on one process and on Celery's workers.

HubSpot answers after 0.3 seconds and takes 190 requests in ten seconds of each of two accounts. The
services and the sandbox have the same machine, and count for seconds, but neither for cores nor for
memory.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrate.dagster_project import PATIENCE, DagsterProject, past_months, wait_for
from orchestrate.machines import Machine, shared_servers
from orchestrate.processes import processes
from pipeline.project import empty_database
from sandbox.client import Sandbox

if TYPE_CHECKING:
    import subprocess

LIMIT, LATENCY = 190, 0.3
DAYS = 31
WORKERS = (0, 2, 4)
TICKS = os.sysconf("SC_CLK_TCK")
HEADER = (
    "| | months | events | seconds | seconds a month | seconds of a core a month | memory |\n"
    "|---|---:|---:|---:|---:|---:|---:|"
)
TOTAL = re.compile(r"^all +([\d,]+) .* (\d+) of \2 loaded$", re.MULTILINE)


@dataclass(slots=True)
class Cost:
    """What the processes of a backfill have taken so far, those that have ended included."""

    seconds: float = 0
    cores: float = 0
    memory: int = 0

    def add(self, folder: Path) -> None:
        """Look at the processes that work in a folder."""
        cores = memory = 0
        for pid, _words, _variables in processes(folder):
            # A process may end while it is looked at.
            with suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
                # Its own and those of children that have ended.
                cores += sum(map(int, stat[11:15]))
                memory += sum(map(int, re.findall(r"^Pss: +(\d+)", rollup, re.MULTILINE)))
        self.cores = max(self.cores, cores / TICKS)
        self.memory = max(self.memory, memory)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m orchestrate.costs", description=__doc__)
    parser.add_argument("--months", type=int, default=2, help="of each of the two accounts")
    parser.add_argument("--events", type=int, default=100_000, help="of a month, about")
    options = parser.parse_args()
    print(HEADER)
    for workers in WORKERS:
        print(measure(workers, past_months(options.months), options.events), flush=True)


def measure(workers: int, months: list[str], events: int) -> str:
    """A line of the table; no workers are one process without Celery."""
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="costs-")))
        sandbox = Sandbox(requests_per_10_seconds=LIMIT, latency_hubspot=LATENCY)
        closing.enter_context(sandbox)
        for portal_id in (4711, 4712):
            # The present month has some of them, and is not read.
            count, days = events * (len(months) + 1), DAYS * (len(months) + 1)
            sandbox.generate(events=count, days=days, portal_id=portal_id)
        database = empty_database(folder)
        name = f"{workers} workers" if workers else "one process"
        machine = partial(Machine, first_month=months[0], limit=LIMIT, concurrency=1)
        shared = closing.enter_context(shared_servers(folder))
        started = [
            closing.enter_context(machine(folder / f"machine-{n}", sandbox, database, shared))
            for n in range(workers)
        ]
        wait_for(lambda: all(each.is_ready() for each in started))
        project = started[0] if started else one_process(folder, sandbox, database, months[0])
        before, cost = Cost(), Cost()
        before.add(folder)
        backfill = project.start(
            *("invoke", "dagster:backfill", "--from", months[0], "--to", months[-1])
        )
        watch(backfill, folder, cost)
        output = project.output.read_text("utf-8")
        total = TOTAL.search(output)
        assert total, output[-3000:]
    parts = int(total[2])
    return (
        f"| {name} | {parts} | {total[1]} | {cost.seconds:.0f} | {cost.seconds / parts:.1f} "
        f"| {(cost.cores - before.cores) / parts:.1f} | {cost.memory / 1024:,.0f} MB |"
    )


def one_process(folder: Path, sandbox: Sandbox, database: Path, first_month: str) -> DagsterProject:
    (folder / "one").mkdir()
    project = DagsterProject(
        folder / "one", sandbox, database, first_month=first_month, limit=LIMIT
    )
    path = project.home.parent / "orchestration.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("max_concurrent: 4", "max_concurrent: 1"), "utf-8")
    return project


def watch(backfill: subprocess.Popen[bytes], folder: Path, cost: Cost) -> None:
    """Add up what a backfill costs until it has ended."""
    begun = time.monotonic()
    while backfill.poll() is None:
        cost.add(folder)
        assert time.monotonic() < begun + PATIENCE
        time.sleep(0.5)
    cost.seconds = time.monotonic() - begun


if __name__ == "__main__":
    main()
