"""The table of a benchmark, from measurements to markdown: pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.measure import Measurement, ProcessCost

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Result:
    """The runs of one runner over the same events, and of the same without events."""

    name: str
    events: int
    runs: tuple[Measurement, ...]
    empty_runs: tuple[Measurement, ...]

    @property
    def startup_seconds(self) -> float:
        """Median seconds of a run without events."""
        return statistics.median(run.seconds for run in self.empty_runs)

    @property
    def seconds(self) -> float:
        """Median seconds of a run, start-up apart."""
        return statistics.median(run.seconds for run in self.runs) - self.startup_seconds

    @property
    def events_per_second(self) -> float:
        """Events a second of the median run, start-up apart."""
        return self.events / self.seconds

    def busy(self) -> dict[str, float]:
        """Share of the time that each process was at work, median of the runs, start-up apart.

        Where one comes near 1, nothing else held it up.
        """
        startup = zip(*(run.processes for run in self.empty_runs), strict=True)
        columns = zip(*(run.processes for run in self.runs), strict=True)
        return {
            column[0].name: (_median_cpu(column) - _median_cpu(empty)) / self.seconds
            for column, empty in zip(columns, startup, strict=True)
        }

    def cpu_per_100_000(self) -> str:
        """Seconds of CPU for each 100,000 events, process by process, start-up included."""
        return " + ".join(f"{seconds * 100_000 / self.events:.1f}" for seconds in self._cpu_seconds)

    @property
    def cpu_per_event(self) -> float:
        """Seconds of CPU of all processes for each event, start-up included."""
        return sum(self._cpu_seconds) / self.events

    @property
    def _cpu_seconds(self) -> list[float]:
        columns = zip(*(run.processes for run in self.runs), strict=True)
        return [_median_cpu(each) for each in columns]

    def peak_megabytes(self) -> str:
        """Peak memory of each process, the largest of the runs."""
        columns = zip(*(run.processes for run in self.runs), strict=True)
        peaks = [max(process.peak_bytes for process in column) for column in columns]
        return " + ".join(f"{peak / MEGABYTE:.0f}" for peak in peaks)


def _median_cpu(processes: Sequence[ProcessCost]) -> float:
    return statistics.median(process.cpu_seconds for process in processes)


HEADINGS = (
    "",
    "events/s",
    "of the floor",
    "seconds",
    "fastest to slowest",
    "CPU s per 100,000",
    "CPU of the floor's",
    "peak MB",
    "start-up s",
)


def table(results: Sequence[Result]) -> str:
    """Return the results as a markdown table; the first is the floor."""
    floor = results[0].events_per_second
    rows = [HEADINGS, tuple("---:" if index else "---" for index in range(len(HEADINGS)))]
    for result in results:
        seconds = sorted(run.seconds - result.startup_seconds for run in result.runs)
        rows.append(
            (
                result.name.replace("|", "\\|"),
                f"{result.events_per_second:,.0f}",
                f"{result.events_per_second / floor:.2f}",
                f"{result.seconds:.1f}",
                f"{seconds[0]:.1f} to {seconds[-1]:.1f}",
                result.cpu_per_100_000(),
                f"{result.cpu_per_event / results[0].cpu_per_event:.2f}",
                result.peak_megabytes(),
                f"{result.startup_seconds:.1f}",
            )
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
