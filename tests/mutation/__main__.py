"""Change the critical parts bit by bit and see whether tests notice: `make mutants`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from fnmatch import fnmatch

from mutation.workspace import ROOT, Part, Workspace

LEAST_PERCENT = 93
UNNOTICED = ROOT / ".mutants/unnoticed.txt"
TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"
# A folder is critical with all of its modules but those that only start threads, talk to servers or
# tell what happened.
PARTS = (
    Part(
        "tap-reading",
        TAP,
        ("reading/*.py", "timestamps.py"),
        without=(
            "engine.py",
            "progress.py",
            "reader.py",
            "run.py",
            "stream_sync.py",
            "summary.py",
        ),
    ),
    Part("tap-answers", TAP, ("hubspot/answers.py",)),
    Part("tap-settings", TAP, ("settings.py",)),
    Part("target-delivery", TARGET, ("delivery/*.py",)),
    Part("target-answers", TARGET, ("amplitude/answers.py",)),
    Part("target-mapping", TARGET, ("mapping/*.py",)),
    Part("target-settings", TARGET, ("settings.py",)),
    Part("common", TARGET, ("common/*.py",), without=("plugin.py",)),
)


def main() -> int:
    """Run the command; returns 1 where too much of a part goes unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m mutation", description=__doc__)
    parser.add_argument("module", nargs="*", help="only these, such as reading/plan.py")
    wanted = parser.parse_args().module
    rows: list[tuple[str, int, int]] = []
    unnoticed: list[str] = []
    low: list[str] = []
    for part in PARTS:
        modules = [
            each
            for each in part.found()
            if not wanted or any(fnmatch(each, pattern) for pattern in wanted)
        ]
        if not modules:
            continue
        workspace = Workspace(part, modules)
        workspace.run()
        tried: Counter[str] = Counter()
        noticed: Counter[str] = Counter()
        for mutant in workspace.mutants():
            tried[mutant.module] += 1
            noticed[mutant.module] += mutant.is_noticed
            if not mutant.is_noticed:
                unnoticed.append(workspace.difference(mutant))
        rows += [(f"{part.folder}/{each}", tried[each], noticed[each]) for each in sorted(tried)]
        rows.append((f"all of {part.name}", tried.total(), noticed.total()))
        # One module of a part is not judged: some hold little but ways that are only faster.
        if not wanted and noticed.total() * 100 < LEAST_PERCENT * tried.total():
            low.append(part.name)
    UNNOTICED.write_text("\n".join(unnoticed), encoding="utf-8")
    print(f"\n{'module':<58}{'mutants':>8}{'noticed':>9}{'%':>7}")
    for name, count, seen in rows:
        print(f"{name:<58}{count:>8,}{seen:>9,}{100 * seen / max(1, count):>7.1f}")
    print(f"\nThe {len(unnoticed):,} changes that no test noticed: {UNNOTICED.relative_to(ROOT)}")
    if low:
        print(f"Less than {LEAST_PERCENT} % noticed: {', '.join(low)}")
    return int(bool(low))


if __name__ == "__main__":
    sys.exit(main())
