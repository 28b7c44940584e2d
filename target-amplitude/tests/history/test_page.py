"""The page of the history shows how it stands in a real browser, and asks nobody for anything."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import browser
from demo.job_logs import (
    JOB_LOGS,
    NOW,
    STATE_ID,
    backfill_and_hourly,
    reconciled,
    two_days,
)
from target_amplitude.history.chart import time_ticks, value_steps
from target_amplitude.history.job_table import job_table
from target_amplitude.history.jobs import main
from target_amplitude.history.page import make_page
from target_amplitude.history.runs import LoggedRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TITLES = ["Events by the time they happened", "Delivered", "Rejected", "Lag", "Duration"]
ANCIENT = datetime(1, 1, 1, tzinfo=timezone.utc)


def page_of(runs: Iterable[dict[str, Any]]) -> str:
    return make_page([LoggedRun(run) for run in runs], NOW)


def chart_of(runs: Iterable[dict[str, Any]], title: str) -> str:
    return page_of(runs).partition(f"<h2>{title}</h2>")[2].partition("</section>")[0]


@pytest.mark.parametrize("name", JOB_LOGS)
def test_the_page_holds_everything_itself_and_begins_with_how_it_stands(name: str) -> None:
    page = page_of(JOB_LOGS[name]())
    assert not re.findall(r"<script|<link|<img|@import|url\(|https?:", page)
    level = {"week_with_failures": "bad", "empty": "warning"}.get(name, "good")
    assert page.partition("</h1>")[2].startswith(f"<p class='finding {level}'>")


def test_foreign_words_stay_words() -> None:
    hostile = "<b>\x00&'\"$x_{"
    run = two_days()[0] | {"outcome": hostile, "exit_code": 1, "state_id": f"a:b:{hostile}"}
    stream = {"stream": hostile, "delivered": 1, "rejected": {hostile: 1}}
    run["streams"] = [stream | {"delivered_by_hour": {"2026-11-27T05": 1}}]
    page = page_of([run])
    assert r"<b>\x00" not in page
    assert "\x00" not in page
    assert page.count("&lt;b&gt;\\x00&amp;&#x27;&quot;$x_{") >= 6


@pytest.mark.parametrize(
    ("runs", "unit", "length"), [(two_days(), "hour", 48), (backfill_and_hourly(), "week", 105)]
)
def test_bars_are_as_wide_as_their_bin_and_all_of_one_width(
    runs: list[dict[str, Any]], unit: str, length: int
) -> None:
    drawn = chart_of(runs, TITLES[0])
    assert f"events per {unit}" in drawn
    widths = {float(width) for width in re.findall(r"width=([\d.]+)%", drawn)}
    assert max(widths) - min(widths) < 0.002
    assert 100 / max(widths) == pytest.approx(length, abs=1)


def test_a_range_read_again_and_a_comparison_are_no_new_events() -> None:
    runs = backfill_and_hourly()
    without = [run for run in runs if run["state_id"] == STATE_ID]
    assert sum(each["delivered"] for run in runs if run not in without for each in run["streams"])
    told, expected = (
        sum(
            int(count.replace(",", ""))
            for count in re.findall(r"</svg> email_\w+ ([\d,]+)</li>", chart_of(each, TITLES[0]))
        )
        for each in (runs, without)
    )
    assert told == pytest.approx(expected, rel=0.001)
    compared = reconciled()
    streams = [stream for run in compared[:-3] for stream in run["streams"]]
    sent = sum(each["delivered"] for each in streams if each["stream"] == "email_open")
    assert f"email_open {sent:,}</li>" in chart_of(compared, TITLES[0])


def test_failed_is_failed_everywhere() -> None:
    for runs in (two_days(), reconciled()):
        page = page_of(runs)
        expected = sum(run["exit_code"] != 0 for run in runs)
        assert f"<b>{expected}</b>failed" in page
        marks = chart_of(runs, "Duration").count("<use href=#failed class=failed x=")
        # One of them is the legend's.
        assert marks == expected + 1
        assert page.count("<td class=failed>✕ failed: ") == expected
    # What a report would have sent is not told as delivered.
    assert page.count("<td data-name=Delivered>12</td>") == 1
    assert page.count("<td data-name=Delivered>-</td>") == 2


def test_lag_is_that_of_the_regular_runs_in_the_unit_that_fits() -> None:
    chart = chart_of(backfill_and_hourly(), "Lag")
    assert ">minutes</figcaption>" in chart
    assert "<use href=#apart" not in chart
    old = two_days()
    for run in old:
        for stream in run["streams"]:
            stream["last_event"] = "2026-11-01T00:00:00Z"
    assert ">days</figcaption>" in chart_of(old, "Lag")


def test_what_stands_out_or_apart_is_told() -> None:
    runs = backfill_and_hourly()
    assert "<use href=#apart class=apart x=" in chart_of(runs, "Delivered")
    assert "<td data-name=Suffix>reread-2026-11</td>" in page_of(runs)
    chart = chart_of(runs, "Duration")
    assert "▲</b> beyond the scale (seconds): " in chart
    assert chart.count("class=beyond") == 1


@given(st.floats(0, 1e14), st.booleans())
def test_a_scale_is_round_and_covers_what_it_has_to(most: float, whole: bool) -> None:  # noqa: FBT001
    steps = value_steps(most, whole=whole)
    assert steps[0] == 0
    assert steps[-1] >= most * 0.999999
    assert 2 <= len(steps) <= 6
    if whole:
        assert all(step == round(step) for step in steps)


@given(
    st.integers(0, 9_000 * 365 * 24 * 60).map(lambda minutes: ANCIENT + timedelta(minutes=minutes)),
    st.one_of(st.integers(60, 10_000), st.integers(60, 900 * 365 * 24 * 60)),
)
def test_an_axis_of_time_has_a_few_ticks_within_its_range(start: datetime, minutes: int) -> None:
    end = start + timedelta(minutes=minutes)
    moments = [moment for moment, _, _ in time_ticks(start, end)]
    assert 1 <= len(moments) <= 6
    assert all(start <= moment <= end for moment in moments)
    assert all(earlier < later for earlier, later in pairwise(moments))


ODD: tuple[object, ...] = (
    *(None, True, -1, 5, 1e300, 2**70, "", "x<", "\x00", [], [5], [{}], {}),
    *("9999-12-31T23:59:59Z", "9999-12-30", "0001-01-01T00:00:00+02:00", "0002-01-01"),
    *({"x": 5}, {"": "x"}, {"x": 1e300}, {"missing": [5]}, {"missing": 1e300}),
    *({"9999-12-31T23": 5}, {"2026-11-27T05": -1}, {"1900-01-01": 5}, {"0001-01-01": 5}),
)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_damaged_line_is_shown_as_far_as_it_can_be(odd: object) -> None:
    whole = two_days()[-1] | {"reconciliation": {"missing": 1}}
    stream = whole["streams"][0]
    damaged = [whole | {name: odd} for name in whole]
    damaged += [whole | {"streams": [stream | {name: odd}, {name: odd}]} for name in stream]
    for run in damaged:
        page = page_of([run, whole])
        page.encode()
        assert "<p class='finding " in page
        assert not re.search(r">(19|99)..<|(,\d{3}){6}", page)
        assert len(job_table([LoggedRun(run), LoggedRun(whole)], width=140)) == 3


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    # Of a year that is over on every machine.
    runs = [json.loads(json.dumps(run).replace("2026-", "2024-")) for run in two_days()]
    good = [json.dumps(run).encode() for run in runs]
    damaged = [b'{"started": "2026', b"\0", b"[5]", b"\xff", b'{"started": 1e999}', b"{}"]
    damaged += [b'{"started": "%d-01-01T00:00:00Z"}' % year for year in (1999, 9000)]
    partly = json.dumps(runs[5] | {"seconds": "many", "streams": [{"read": "x"}, 5]}).encode()
    log.write_bytes(b"\n".join([*damaged, *good, partly, b""]))
    page = tmp_path / "new/history.html"
    done = CliRunner().invoke(main, [str(log), "--html", str(page)])
    assert done.exit_code == 0
    assert "5 lines of the job log could not be read" in done.output
    assert done.output.endswith(f"{page} shows 52 runs.\n")
    text = page.read_text()
    assert "<b>8</b>unreadable lines of the job log" in text
    assert "<b>49</b>runs" in text


@pytest.fixture(scope="module")
def window() -> Iterator[browser.Browser]:
    if missing := browser.missing():
        pytest.skip(f"{missing} not installed")
    with browser.Browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("name", JOB_LOGS)
def test_a_person_sees_all_of_it_without_scrolling_sideways(
    window: browser.Browser, tmp_path: Path, name: str, width: int
) -> None:
    runs = JOB_LOGS[name]()
    path = tmp_path / "page.html"
    path.write_text(page_of(runs), encoding="utf-8")
    window.resize(width, 900)
    window.open(path.as_uri())
    assert window.run("return document.documentElement.scrollWidth <= window.innerWidth")
    titles = window.run("return [...document.querySelectorAll('section h2')].map(e => e.innerText)")
    expected = [*TITLES, *(["Reconciliations"] if name == "reconciled" else []), "Runs"]
    assert titles == (expected if runs else [])
    # Text and marks lie within the window, and no two labels of an axis on each other.
    outside = """return [...document.querySelectorAll('figure text, use, figcaption, li, td')]
      .filter(e => { const box = e.getBoundingClientRect();
        return box.left < 0 || box.right > document.documentElement.clientWidth; }).length"""
    assert window.run(outside) == 0
    overlapping = """return [...document.querySelectorAll('svg.plot')].filter(svg => {
      const boxes = [...svg.querySelectorAll('text:not(.beyond)')]
        .map(e => e.getBoundingClientRect());
      return boxes.some((a, i) => boxes.some((b, j) => i < j && a.left < b.right
        && b.left < a.right && a.top < b.bottom - 2 && b.top < a.bottom - 2)); }).length"""
    assert window.run(overlapping) == 0
    assert window.run("return document.querySelectorAll('tbody tr').length") == min(100, len(runs))
    assert window.run("return performance.getEntriesByType('resource').length") == 0
