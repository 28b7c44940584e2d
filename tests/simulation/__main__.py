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
from simulation.shrinking import shrink
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulation.plan import Step

# How often a failing seed is run again to find the shortest run that shows it.
ATTEMPTS = 25


@dataclass
class Outcome:
    """What became of one seed."""

    seed: int
    runs: int = 0
    events: int = 0
    arrived: int = 0
    rejected: int = 0
    repeated: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    failed_at: int | None = None


def simulate(sandbox: Sandbox, seed: int, days: float, steps: Sequence[Step]) -> Outcome:
    """Run the steps one after the other, until one breaks a promise."""
    outcome = Outcome(seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        world = World(sandbox, Path(folder), seed, days)
        for place, step in enumerate(steps):
            ended = run(world, step)
            outcome.runs += len(ended)
            outcome.faults.update(fault.kind for fault in step.faults)
            outcome.broken = after_run(world, step, ended)
            if outcome.broken:
                outcome.failed_at = place
                break
        truth = world.truth
        outcome.events = len(truth.known)
        outcome.arrived, outcome.rejected = len(truth.arrived), len(truth.rejected)
        outcome.repeated = int(sandbox.amplitude_stats()["duplicates"])
        outcome.doubled = truth.doubled
        outcome.lost = len(truth.missing(int(world.now * 1000)))
    outcome.seconds = time.monotonic() - began
    return outcome


def explain(sandbox: Sandbox, days: float, outcome: Outcome, steps: Sequence[Step]) -> None:
    """Print the shortest run that shows what a seed has found."""
    print(f"\nseed {outcome.seed}, run {outcome.failed_at}:", *outcome.broken, sep="\n  ")
    assert outcome.failed_at is not None

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
    lines = ["seed  runs  events  faults  arrived  rejected  sent again  lost  doubled  minutes"]
    lines += [
        f"{each.seed:>4}  {each.runs:>4}  {each.events:>6}  {each.faults.total():>6}  "
        f"{each.arrived:>7}  {each.rejected:>8}  {each.repeated:>10}  {each.lost:>4}  "
        f"{each.doubled:>7}  {each.seconds / 60:>7.1f}"
        for each in outcomes
    ]
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
    parser.add_argument("--first", action="store_true", help="do not look for a shorter run")
    asked = parser.parse_args()
    outcomes = []
    with Sandbox(seed=1) as sandbox:
        for seed in asked.seeds:
            steps = plan(seed, asked.days)
            if asked.only is not None:
                kept = {int(each) for each in asked.only.split(",") if each}
                steps = [s if s.number in kept else s._replace(faults=()) for s in steps]
            outcome = simulate(sandbox, seed, asked.days, steps)
            outcomes.append(outcome)
            print(
                f"seed {seed}: {outcome.runs} runs, {outcome.faults.total()} faults, "
                f"{'broken' if outcome.broken else 'all promises kept'}",
                flush=True,
            )
            if outcome.broken and asked.first:
                print(*outcome.broken, sep="\n  ")
            elif outcome.broken:
                explain(sandbox, asked.days, outcome, steps)
    print(f"\n{table(outcomes)}")
    return 1 if any(each.broken for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
