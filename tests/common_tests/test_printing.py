"""Tables, reports and durations, as both plugins print and read them."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest

from target_amplitude.common.command import duration
from target_amplitude.common.findings import Finding, Report
from target_amplitude.common.tables import table

ABOUT: dict[str, Any] = {"plugin": "a-plugin", "version": "1", "checked_at": "today"}
GOOD, BAD, OTHER = (
    Finding("clock", "ok", "right"),
    Finding("a longer name", "failed", "wrong"),
    Finding("order", "differs", "another"),
)


def test_a_tables_columns_stand_below_each_other() -> None:
    rows = [("name", "count", "end"), ("a", "1,000", ""), ("longer", "5", "late")]
    assert table(rows, (1,)) == ["name    count  end", "a       1,000", "longer      5  late"]


def test_a_report_is_printed_with_what_is_known_and_bad_where_somebody_has_to_act() -> None:
    assert not Report(**ABOUT, checks=[GOOD]).is_bad
    report = Report(**ABOUT, checks=[GOOD, BAD])
    assert report.as_table() == [
        "check          result  seen",
        "clock          ok      right",
        "a longer name  failed  wrong",
    ]
    assert list(json.loads(report.as_json())) == [*ABOUT, "checks"]
    assert report.is_bad
    more = Report(**ABOUT, requests=7, checks=[GOOD], assumptions=[OTHER])
    assert more.as_table()[2:] == [
        "",
        "assumption  result   seen",
        "order       differs  another",
        "",
        "7 requests",
    ]
    assert list(json.loads(more.as_json())) == [*ABOUT, "requests", "checks", "assumptions"]
    assert more.is_bad


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), (" 2 H ", 7200), ("1d", 86_400), ("7", 7)]
)
def test_a_duration_is_read_with_its_unit(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "soon", "-5m", "1.5h", "1w", "1234567s", "²m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no duration such as 5m, 2h or 1d"):
        duration(text)
