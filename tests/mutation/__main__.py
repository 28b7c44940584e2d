"""Change the critical parts bit by bit and see whether tests notice: `make mutants`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from mutation.parts import PARTS, ROOT
from mutation.survivors import SURVIVORS
from mutation.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mutation.parts import Part
    from mutation.survivors import Survivor

LEAST_PERCENT = 95


class Report:
    """What was noticed, by module, and what was not."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.noticed: Counter[str] = Counter()
        self.explained: Counter[str] = Counter()
        self.unexplained: list[str] = []
        self.used: set[Survivor] = set()

    def add(self, part: Part, workspace: Workspace) -> None:
        """Add what was tried of one plugin."""
        for mutant in workspace.mutants():
            module = f"{part.package}/{mutant.module}"
            self.tried[module] += 1
            if mutant.is_noticed:
                self.noticed[module] += 1
                continue
            was, now = workspace.change(mutant)
            found = [each for each in SURVIVORS if each.explains(mutant.module, was, now)]
            self.used.update(found)
            if found:
                self.explained[module] += 1
            else:
                self.unexplained.append(f"{mutant.name}\n  - {was}\n  + {now}")

    def table(self) -> str:
        """The figures by module."""
        rows = [
            (module, self.tried[module], self.noticed[module], self.explained[module])
            for module in sorted(self.tried)
        ]
        together = self.tried.total(), self.noticed.total(), self.explained.total()
        lines = [f"{'module':<58}{'mutants':>8}{'noticed':>9}{'%':>7}{'explained':>11}"]
        lines += [
            f"{name:<58}{tried:>8,}{noticed:>9,}{100 * noticed / tried:>7.1f}{explained:>11,}"
            for name, tried, noticed, explained in [*rows, ("together", *together)]
        ]
        return "\n".join(lines)

    @property
    def percent(self) -> float:
        """The share of changes that tests notice."""
        return 100 * self.noticed.total() / max(1, self.tried.total())


def chosen(patterns: Sequence[str]) -> list[Part]:
    """The parts with the modules that the patterns name; all of them without a pattern."""
    if not patterns:
        return list(PARTS)
    parts = []
    for part in PARTS:
        package = ROOT / part.folder / part.package
        modules = {
            str(path.relative_to(package)) for given in part.modules for path in package.glob(given)
        }
        wanted = tuple(
            sorted(each for each in modules if any(fnmatch(each, one) for one in patterns))
        )
        if wanted:
            parts.append(replace(part, modules=wanted))
    return parts


def main() -> int:
    """Run the command; returns 1 where too much, or anything unexplained, goes unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m mutation", description=__doc__)
    parser.add_argument("module", nargs="*", help="only these, such as reading/plan.py")
    patterns = parser.parse_args().module
    report = Report()
    for part in chosen(patterns):
        workspace = Workspace(ROOT / ".mutants" / part.name, part)
        workspace.prepare()
        workspace.run()
        report.add(part, workspace)
    print(f"\n{report.table()}")
    for each in report.unexplained:
        print(f"\nunnoticed: {each}")
    idle = [] if patterns else [each for each in SURVIVORS if each not in report.used]
    for survivor in idle:
        print(f"\nno longer there: {survivor.module}: {survivor.was} -> {survivor.now}")
    # The share is that of the whole; some files are mostly ways that are only faster.
    is_low = not patterns and report.percent < LEAST_PERCENT
    return int(is_low or bool(report.unexplained) or bool(idle))


if __name__ == "__main__":
    sys.exit(main())
