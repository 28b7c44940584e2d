"""CONTRIBUTING's table of promises names tests and code that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "tap": "tap-hubspot-email-events/tap_hubspot_email_events",
    "target": "target-amplitude/target_amplitude",
}
ROW = re.compile(r"^\| .+ \| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)


def place(named: str) -> Path:
    first, _, rest = named.partition("/")
    package = PACKAGES.get(first)
    if package is None:
        return ROOT / named
    return (ROOT / package).parent / rest if rest.startswith("tests/") else ROOT / package / rest


def test_each_test_and_each_file_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## What is promised")[2].partition("\n## ")[0]
    rows = ROW.findall(table)
    assert len(rows) == table.count("\n|") - 2
    for test, code in rows:
        file, _, name = test.partition("::")
        assert place(code).exists(), code
        assert place(file).exists(), file
        if name:
            assert f"def {name}(" in place(file).read_text(encoding="utf-8"), test
        else:
            assert file.endswith("/") or "def test_" in place(file).read_text(encoding="utf-8"), (
                file
            )
