"""Simulate weeks of hourly runs under faults: `make simulate`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.client import Sandbox
from simulation.checks import after_run
from simulation.faults import run
from simulation.plan import KINDS, plan
from simulation.shrinking import faults_only_of, shrink
from simulation.world import World
from tap_hubspot_email_events.common.tables import table as aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulation.plan import Step

# How often a failing seed is run again to find the shortest run that shows it.
ATTEMPTS = 25


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    figures: dict[str, float] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    failed_at: int = 0


def simulate(sandbox: Sandbox, seed: int, days: float, steps: Sequence[Step]) -> Outcome:
    """Run the steps one after the other, until one breaks a promise."""
    outcome = Outcome(seed)
    began = time.monotonic()
    runs = 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(sandbox, Path(folder), seed, days)
        for outcome.failed_at, step in enumerate(steps):
            ended = run(world, step)
            runs += len(ended)
            outcome.faults.update(fault.kind for fault in step.faults)
            outcome.broken = after_run(world, step, ended)
            if outcome.broken:
                break
    outcome.figures = {
        "runs": runs,
        "events": len(world.truth.known),
        "faults": outcome.faults.total(),
        "arrived": len(world.truth.arrived),
        "rejected": len(world.truth.rejected),
        "sent again": int(sandbox.amplitude_stats()["duplicates"]),
        "lost": len(world.truth.missing(int(world.now * 1000))),
        "doubled": world.truth.doubled,
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    return outcome


def explain(sandbox: Sandbox, days: float, outcome: Outcome, steps: Sequence[Step]) -> None:
    """Print the shortest run that shows what a seed has found."""
    print(f"\nseed {outcome.seed}, run {outcome.failed_at}:", *outcome.broken, sep="\n  ")

    def fails(fewer: Sequence[Step]) -> bool:
        return bool(simulate(sandbox, outcome.seed, days, fewer).broken)

    shortest = shrink(steps[: outcome.failed_at + 1], fails, ATTEMPTS)
    print("shortest run that shows it:")
    for step in shortest:
        if step.faults:
            words = ", ".join(f"{fault.kind} ({fault.amount:g})" for fault in step.faults)
            print(f"  run {step.number} at hour {step.hour:.2f}: {words}")
    print(f"  then run {shortest[-1].number} at hour {shortest[-1].hour:.2f}")
    only = ",".join(str(step.number) for step in shortest if step.faults)
    print(f"  make simulate SIMULATE_ARGS='--seeds {outcome.seed} --days {days:g} --only {only}'")


def table(outcomes: Sequence[Outcome]) -> str:
    """The seeds as a table, then the faults by kind."""
    rows = [["seed", *outcomes[0].figures]]
    rows += [[str(each.seed), *map(str, each.figures.values())] for each in outcomes]
    lines = aligned(rows, range(len(rows[0])))
    total: Counter[str] = sum((each.faults for each in outcomes), Counter())
    lines += ["", "faults by kind:"]
    lines += [f"  {kind.name:<32} {total[kind.name]:>5}" for kind in KINDS]
    return "\n".join(lines)


def seeds(text: str) -> list[int]:
    """Seeds such as 3, 1,4 or 1-10."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> int:
    """Run the command; returns 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default=[1], help="such as 3, 1,4 or 1-10")
    parser.add_argument("--days", type=float, default=14)
    parser.add_argument("--only", help="numbers of the runs that keep their faults, with commas")
    asked = parser.parse_args()
    outcomes = []
    with Sandbox(seed=1) as sandbox:
        for seed in asked.seeds:
            steps = plan(seed, asked.days)
            if asked.only is not None:
                kept = {int(each) for each in asked.only.split(",") if each}
                steps = faults_only_of(kept, steps)
            outcome = simulate(sandbox, seed, asked.days, steps)
            outcomes.append(outcome)
            print(
                f"seed {seed}: {outcome.figures['runs']} runs, {outcome.faults.total()} faults, "
                f"{'broken' if outcome.broken else 'all promises kept'}",
                flush=True,
            )
            if outcome.broken:
                explain(sandbox, asked.days, outcome, steps)
    print(f"\n{table(outcomes)}")
    return 1 if any(each.broken for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
