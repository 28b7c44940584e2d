"""The page of the history shows plots and runs in a real browser, and asks nobody for anything."""

from __future__ import annotations

import random
import re
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import browser
from target_amplitude.history.jobs import main
from target_amplitude.history.page import make_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
TITLES = [
    "Events by the time they happened",
    "Delivered and rejected",
    "Lag",
    "Duration",
    "Reconciliations",
]


def history(hours: int = 48) -> list[dict[str, Any]]:
    order = random.Random(3)
    runs: list[dict[str, Any]] = []
    for number in range(hours):
        started = NOW - timedelta(hours=hours - number)
        is_failed = number == hours // 2
        streams = [
            {
                "stream": stream,
                "read": 300,
                "delivered": 0 if is_failed else 290,
                "skipped": 5,
                "rejected": {} if is_failed else {"invalid id": order.randrange(5)},
                "last_event": (started - timedelta(minutes=7)).isoformat(),
                "events_by_hour": {f"{started - timedelta(hours=1):%Y-%m-%dT%H}": 290},
            }
            for stream in ("email_open", "email_sent")
        ]
        runs.append(
            {
                "started": started.isoformat(),
                "seconds": order.uniform(2, 9),
                "outcome": "<b>Amplitude</b> did not answer" if is_failed else "delivered",
                "exit_code": int(is_failed),
                "streams": streams,
            }
        )
    found = {"missing": 3, "doubled": 1}
    report = {"outcome": "reconciled", "exit_code": 0, "dry_run": True, "reconciliation": found}
    return [*runs, {"started": NOW.isoformat(), "seconds": 5, **report}]


def test_the_page_holds_everything_itself() -> None:
    page = make_page(history(), NOW)
    assert page.count("<svg") == len(TITLES)
    assert not re.findall(r"<script|<link|<img|@import|url\(http", page)
    addresses = set(re.findall(r"https?://[^\s\"'<]+", page))
    # Names of formats, which nothing fetches.
    formats = re.compile(r"https?://(www\.w3\.org|purl\.org|creativecommons\.org)/")
    assert all(map(formats.match, addresses))
    assert "<b>Amplitude</b>" not in page
    assert make_page(history(), NOW) == page


@pytest.mark.parametrize("runs", [[], [{}], [{"started": "x", "streams": [5], "seconds": None}]])
def test_a_history_with_nothing_to_draw_is_a_page_all_the_same(runs: list[Any]) -> None:
    page = make_page(runs, NOW)
    assert "<svg" not in page
    assert "never" in page


def test_the_page_of_a_command_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_text('{"started": "2026-11-27T05:00:00Z", "seconds": 3, "outcome": "delivered"}\n')
    page = tmp_path / "new/history.html"
    done = CliRunner().invoke(main, [str(log), "--html", str(page)])
    assert done.exit_code == 0
    assert "shows 1 runs" in done.output
    assert page.read_text().startswith("<!doctype html>")


def test_without_the_extra_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_text("")
    for name in [name for name in sys.modules if name.startswith("target_amplitude.history.p")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = CliRunner().invoke(main, [str(log), "--html", str(tmp_path / "page.html")])
    assert done.exit_code == 1
    assert "target-amplitude[report]" in done.output


@pytest.fixture(scope="module")
def window() -> Iterator[browser.Browser]:
    if missing := browser.missing():
        pytest.skip(f"{missing} not installed")
    with browser.Browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 1200])
def test_a_person_sees_plots_and_runs_without_scrolling_sideways(
    window: browser.Browser, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "page.html"
    path.write_text(make_page(history(), NOW), encoding="utf-8")
    window.resize(width, 900)
    window.open(path.as_uri())
    titles = "[...document.querySelectorAll('section h2')].map(e => e.innerText)"
    assert window.run(f"return {titles}") == TITLES
    heights = "[...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().height)"
    assert [height > 100 for height in window.run(f"return {heights}")] == [True] * len(TITLES)
    assert window.run("return document.documentElement.scrollWidth <= window.innerWidth")
    text = window.run("return document.body.innerText")
    assert "last good run" in text
    assert "<b>Amplitude</b> did not answer" in text
    assert window.run("return document.querySelectorAll('tbody tr').length") == 49
    assert window.run("return performance.getEntriesByType('resource').length") == 0
