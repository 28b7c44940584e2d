"""Measure the pipeline against the floor, in one run, on the same local services and events."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import textwrap
from datetime import datetime, timezone
from pathlib import Path

from bench.limits import measure_latency
from bench.measure import Measurement, RunFailedError, measure
from bench.quiet_hour import measure_quiet_hour
from bench.report import Result, table
from bench.runners import BIN, Runner, all_runners, both_runners
from demo.reconcile import EVENT_NAMES
from sandbox.client import Sandbox

OUTPUT = Path("docs/benchmarks.md")
WIDTH = 120
LOG_TAIL = 2_000
GROWTH = [10_000, 30_000, 100_000, 300_000, 1_000_000]


class Bench:
    """Runs runners against one sandbox, each from an empty Amplitude."""

    def __init__(self, sandbox: Sandbox, folder: Path, events: int) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._events = events
        self._singer_file = folder / "events.singer.jsonl"
        self._empty_file = folder / "empty.singer.jsonl"
        self._empty_file.touch()

    def prepare(self, tap: Runner) -> None:
        """Write the events as Singer messages for what is measured as a target alone."""
        measure(tap.commands, stdout=self._singer_file, log=self._folder / "log")

    def run(self, runner: Runner) -> Measurement:
        """Move all events once and check that they are there."""
        self._sandbox.forget_amplitude()
        measurement = self._measure(runner, runner.commands, self._singer_file)
        self._check(runner)
        return measurement

    def run_empty(self, runner: Runner) -> Measurement:
        """Measure the same without an event: the start-up."""
        return self._measure(runner, runner.empty_commands, self._empty_file)

    def _measure(
        self, runner: Runner, commands: dict[str, list[str]], messages: Path
    ) -> Measurement:
        return measure(
            commands,
            stdin=messages if runner.reads_file else None,
            stdout=self._folder / "out" if runner.writes_file else None,
            log=self._folder / "log",
        )

    def _check(self, runner: Runner) -> None:
        if runner.writes_file:
            with (self._folder / "out").open("rb") as lines:
                moved = sum(b'"type":"RECORD"' in line.replace(b" ", b"")[:40] for line in lines)
        else:
            moved = sum(self._sandbox.amplitude_counts().values())
        if moved < self._events:
            raise SystemExit(f"{runner.name} moved {moved:,} of {self._events:,} events")


def main() -> None:
    """Print the table and write it to the docs."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], help="names of runners besides the floor")
    parser.add_argument("--against", type=Path, help="only compare with this other checkout")
    options = parser.parse_args()
    with _unlimited_sandbox() as sandbox, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            results = _compare(sandbox, folder, options)
            print(f"\n{table(results)}\n", flush=True)
            if options.against:
                _compare_at_the_limit(folder, options)
            if options.only or options.against:
                return
            growth = [_grow(sandbox, folder, events) for events in GROWTH]
            limits = [
                measure_latency(folder, options.events, BIN),
                measure_quiet_hour(folder),
            ]
        except RunFailedError as error:
            raise SystemExit(f"{error}:\n{(folder / 'log').read_text()[-LOG_TAIL:]}") from None
    print(*limits, sep="\n")
    OUTPUT.write_text(_document(results, growth, limits, options.rounds), encoding="utf-8")


def _unlimited_sandbox() -> Sandbox:
    return Sandbox(seed=7, requests_per_10_seconds=0, daily_limit=0)


def _fill(sandbox: Sandbox, events: int) -> int:
    sandbox.reset()
    counts = sandbox.generate(events=events, days=365)
    return sum(count for name, count in counts.items() if name in EVENT_NAMES)


def _compare(sandbox: Sandbox, folder: Path, options: argparse.Namespace) -> list[Result]:
    events = _fill(sandbox, options.events)
    bench = Bench(sandbox, folder, events)
    runners = (
        both_runners(sandbox, folder, options.against)
        if options.against
        else all_runners(sandbox, folder)
    )
    bench.prepare(next(runner for runner in runners if runner.name == "tap"))
    if options.only:
        runners = [runner for runner in runners if runner.name in {"floor", *options.only}]
    runs: dict[str, list[Measurement]] = {runner.name: [] for runner in runners}
    empty_runs: dict[str, list[Measurement]] = {runner.name: [] for runner in runners}
    for number in range(options.rounds):
        for runner in runners:
            empty_runs[runner.name].append(bench.run_empty(runner))
            runs[runner.name].append(bench.run(runner))
            took = runs[runner.name][-1].seconds
            print(f"round {number + 1}: {runner.name}: {took:.1f} s", flush=True)
    return [
        Result(runner.name, events, tuple(runs[runner.name]), tuple(empty_runs[runner.name]))
        for runner in runners
    ]


def _compare_at_the_limit(folder: Path, options: argparse.Namespace) -> None:
    against: Path = options.against
    for number in range(options.rounds):
        for name, binaries in ((against.name, against / ".venv/bin"), ("this checkout", BIN)):
            result = measure_latency(folder, options.events, binaries)
            print(f"round {number + 1}: {name}: {result}", flush=True)


def _grow(sandbox: Sandbox, folder: Path, events: int) -> Result:
    moved = _fill(sandbox, events)
    bench = Bench(sandbox, folder, moved)
    pipe = next(r for r in all_runners(sandbox, folder) if r.name == "tap | target")
    result = Result(pipe.name, moved, (bench.run(pipe),), (bench.run_empty(pipe),))
    print(f"{moved:,} events: {result.seconds:.1f} s", flush=True)
    return result


def _document(results: list[Result], growth: list[Result], limits: list[str], rounds: int) -> str:
    at = datetime.now(timezone.utc).date().isoformat()
    lines = [
        "# Benchmarks",
        "",
        (
            f"Written by `make bench` on {at}: {results[0].events:,} events, {rounds} rounds "
            "in turn, medians; local HubSpot and Amplitude on the same machine, without latency or "
            "limits, and `enrich_campaigns` off, since the others do nothing like it."
        ),
        f"Machine: {_machine()}.",
        "",
        table(results),
    ]
    pipe = next(each for each in results if each.name == "tap | target")
    lines += ["", _busy(pipe)]
    lines += ["", "As events grow (`tap | target`, one run each):", ""]
    lines += ["| events | seconds | events/s | peak MB |", "| ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {each.events:,} | {each.seconds:.1f} | {each.events_per_second:,.0f} "
        f"| {each.peak_megabytes()} |"
        for each in growth
    ]
    for sentences in limits:
        lines += ["", sentences]
    return "\n".join(map(_wrapped, lines)) + "\n"


def _wrapped(line: str) -> str:
    return line if "|" in line else textwrap.fill(line, WIDTH)


def _busy(result: Result) -> str:
    shares = [f"the {name} {share:.0%}" for name, share in result.busy().items()]
    return (
        f"At work in `{result.name}`, of the time it takes: {', '.join(shares)}. The two and both "
        "services share the cores."
    )


def _machine() -> str:
    cpu = next(
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    )
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
