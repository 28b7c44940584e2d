"""Delivered events count once, by the time they happened."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from target_amplitude.history.runs import LoggedRun, delivered_events, parse

DAY = timedelta(days=1)
FIRST = "prod:tap-hubspot-email-events-to-target-amplitude"


def run(times: dict[str, int], state_id: str | None = None, **fields: Any) -> LoggedRun:
    stream = {"stream": "email_open", "delivered_by_hour": times}
    return LoggedRun({"state_id": state_id, "streams": [stream]} | fields)


def counted(*runs: LoggedRun) -> dict[str, int]:
    times = delivered_events(runs)[1].get("email_open", Counter())
    return {f"{moment:%Y-%m-%dT%H}": count for moment, count in sorted(times.items())}


def test_runs_of_one_state_add_up() -> None:
    assert counted(run({"2026-11-27T05": 3}), run({"2026-11-27T05": 2, "2026-11-27T06": 1})) == {
        "2026-11-27T05": 5,
        "2026-11-27T06": 1,
    }


def test_a_range_that_is_read_again_under_a_suffix_counts_once() -> None:
    regular = run({"2026-11-26T05": 3, "2026-11-27T05": 3}, FIRST)
    again = run({"2026-11-26T05": 4, "2026-11-27T05": 1}, f"{FIRST}:again")
    assert counted(regular, again) == {"2026-11-26T05": 4, "2026-11-27T05": 3}


def test_months_that_were_loaded_under_suffixes_of_their_own_add_up() -> None:
    months = [run({f"2026-{month}-07": 10}, f"{FIRST}:2026-{month}") for month in (10, 11)]
    assert list(counted(*months).values()) == [10, 10]


def test_accounts_add_up() -> None:
    emea = FIRST.replace("-to-", "--emea-to-")
    assert counted(run({"2026-11-27T05": 3}, FIRST), run({"2026-11-27T05": 3}, emea)) == {
        "2026-11-27T05": 6
    }


def test_where_one_run_has_days_all_are_counted_by_day() -> None:
    runs = [run({"2026-11-26": 7}), run({"2026-11-26T22": 1, "2026-11-27T05": 2})]
    assert delivered_events(runs)[0] == DAY
    assert counted(*runs) == {"2026-11-26T00": 8, "2026-11-27T00": 2}


def test_a_dry_run_delivers_nothing() -> None:
    assert counted(run({"2026-11-27T05": 3}, dry_run=True)) == {}


@pytest.mark.parametrize(
    ("state_id", "state", "suffix"),
    [
        (None, "", ""),
        (FIRST, FIRST, ""),
        (f"{FIRST}:again", FIRST, "again"),
        ("named-by-hand", "named-by-hand", ""),
    ],
)
def test_a_state_id_is_told_from_its_suffix(state_id: Any, state: str, suffix: str) -> None:
    run = LoggedRun({"state_id": state_id})
    assert (run.state, run.suffix) == (state, suffix)


@pytest.mark.parametrize(
    "text", ["2026-11-27T05:00:00Z", "2026-11-27T07:00:00+02:00", "2026-11-27T05:00:00"]
)
def test_times_are_of_one_zone(text: str) -> None:
    assert str(parse(text)) == "2026-11-27 05:00:00+00:00"
