from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from email_events_orchestration.configuration import (
    PATH_VARIABLE,
    Account,
    parse_configuration,
    read_configuration,
)
from email_events_orchestration.errors import ConfigurationError, PartError
from email_events_orchestration.job_log import read_last_run, summarize
from email_events_orchestration.meltano import variable
from email_events_orchestration.months import Month, select_months
from email_events_orchestration.report import Outcome, table
from pipeline.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "orchestrate/dagster"
STATE_ID = "prod:tap-a-to-target-b:month-2025-01"
ACCOUNT = {"name": "main", "run": ["tap-a", "target-b"], "requests_per_10_seconds": 190}


@pytest.mark.parametrize(
    "path", ["orchestration.yml", "examples/kubernetes.yml", "examples/celery.yml"]
)
def test_the_shipped_files_are_good(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATH_VARIABLE, str(FOLDER / path))
    configuration = read_configuration()
    assert [account.name for account in configuration.accounts] == ["main"]
    assert ":" in configuration.executor


@pytest.mark.parametrize(
    "path", ["home/dagster.yaml", "examples/dagster.yaml", "examples/dagster-kubernetes.yaml"]
)
def test_dagster_sends_no_telemetry_and_limits_every_account(path: str) -> None:
    settings = yaml.safe_load((FOLDER / path).read_text(encoding="utf-8"))
    assert settings["telemetry"] == {"enabled": False}
    assert settings["concurrency"]["pools"]["default_limit"] >= 1


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (None, "missing"),
        ({"accounts": [ACCOUNT]}, "first_month"),
        ({"first_month": "2024-13", "accounts": [ACCOUNT]}, "first_month"),
        ({"first_month": "2024-01", "accounts": []}, "at least one"),
        ({"first_month": "2024-01", "accounts": [ACCOUNT, ACCOUNT]}, "same `name`"),
        ({"first_month": "2024-01", "accounts": [{**ACCOUNT, "name": "a b"}]}, "letters"),
        ({"first_month": "2024-01", "accounts": [{**ACCOUNT, "run": ["tap-a"]}]}, "a target"),
        (
            {"first_month": "2024-01", "accounts": [{**ACCOUNT, "requests_per_10_seconds": 0}]},
            "whole number",
        ),
        ({"first_month": "2024-01", "accounts": [ACCOUNT], "executor": "k8s"}, "`executor`"),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_do(content: Any, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint):
        parse_configuration(content)


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "none.yml"))
    with pytest.raises(ConfigurationError, match=r"none\.yml"):
        read_configuration()


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("2024-02", "2024-02-29T23:59:59.999Z"),
        ("2025-02", "2025-02-28T23:59:59.999Z"),
        ("2025-12", "2025-12-31T23:59:59.999Z"),
        ("2025-04", "2025-04-30T23:59:59.999Z"),
    ],
)
def test_a_month_is_from_its_first_to_its_last_millisecond(name: str, end: str) -> None:
    month = Month.of_partition(f"{name}-01")
    assert (month.start, month.end) == (f"{name}-01T00:00:00.000Z", end)


def test_a_range_keeps_the_months_that_can_be_loaded_and_says_why_the_others_are_left_out() -> None:
    months, left_out = select_months(
        Month("2024-11"),
        Month("2025-03"),
        first_loadable=Month("2024-12"),
        present=Month("2025-02"),
    )
    assert [month.name for month in months] == ["2024-12", "2025-01"]
    assert left_out == [
        "2024-11 is before `first_month` (2024-12 in orchestration.yml), left out",
        "2025-02 to 2025-03 are not over, left out",
    ]


@pytest.mark.parametrize(
    ("first", "last", "hint"),
    [
        ("2025-02", "2025-01", "exchange them"),
        ("2023-01", "2023-01", "2023-01 is before"),
        ("2025-03", "2025-04", "2025-03 to 2025-04 are not over"),
    ],
)
def test_a_range_without_a_month_to_load_is_refused(first: str, last: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint):
        select_months(
            Month(first), Month(last), first_loadable=Month("2024-01"), present=Month("2025-03")
        )


def test_each_month_of_each_account_has_a_line_with_its_outcome_and_all_have_one_of_totals() -> (
    None
):
    main = Account("main", ("tap-a", "target-b"), 100)
    months = [Month("2025-01"), Month("2025-02"), Month("2025-03"), Month("2025-04")]
    outcomes = {
        "months_of_main[2025_01]": Outcome("loaded", (1_000, 900, 100, 1.5)),
        "months_of_main[2025_02]": Outcome("failed: The reason."),
        "months_of_main[2025_04]": Outcome("loaded", (30, 30, 0, 0.5)),
    }

    lines = table([main], months, {"main": [months[0], months[1], months[3]]}, outcomes)

    assert lines.splitlines() == [
        "account  month     read  delivered  rejected  seconds  outcome",
        "main     2025-01  1,000        900       100      1.5  loaded",
        "main     2025-02                                       failed: The reason.",
        "main     2025-03                                       already loaded "
        "(--again reads it anew)",
        "main     2025-04     30         30         0      0.5  loaded",
        "all               1,030        930       100      2.0  2 of 3 loaded",
    ]


def test_settings_of_an_inherited_plugin_have_variables_of_their_own() -> None:
    expected = "TAP_HUBSPOT_EMAIL_EVENTS__EMEA_START_DATE"
    assert variable("tap-hubspot-email-events--emea", "start_date") == expected


def test_a_run_is_summed_up_over_its_streams(tmp_path: Path) -> None:
    stream = {
        "read": 5,
        "delivered": 3,
        "skipped": 1,
        "not_covered": 0,
        "retried": 2,
        "rejected": {"no user": 1},
        "first_event": "2025-01-02T00:00:00Z",
        "last_event": "2025-01-03T00:00:00Z",
    }
    empty: dict[str, Any] = {
        **dict.fromkeys(stream, 0),
        "rejected": {},
        "first_event": None,
        "last_event": None,
    }
    run = {
        "state_id": STATE_ID,
        "started": "2025-01-03T00:00:01Z",
        "requests": 1,
        "bytes": 9,
        "seconds": 0.5,
        "complete": True,
        "streams": [stream, stream, empty],
    }
    of_others = [run | {"state_id": f"{STATE_ID}:other", "requests": 5}, {"streams": []}]
    lines = [json.dumps(each) for each in (run, *of_others)]
    (tmp_path / "jobs.jsonl").write_text("\n".join([*lines, "cut"]), encoding="utf-8")

    last = read_last_run(tmp_path / "jobs.jsonl", STATE_ID, "2025-01-03T00:00:01Z")

    figures = summarize(last)
    assert (figures["events_read"], figures["events_delivered"]) == (10, 6)
    assert (figures["events_rejected"], figures["requests"]) == (2, 1)
    assert figures["last_event"] == "2025-01-03T00:00:00Z"


def test_a_run_that_was_cut_short_is_no_loaded_month() -> None:
    reason = "the input ended early: The daily limit is used up"
    with pytest.raises(PartError, match=r"in part only \(the input ended early: The daily limit"):
        summarize({"complete": False, "outcome": reason, "streams": []})


@pytest.mark.parametrize("started", [None, "2025-01-02T23:59:59Z"])
def test_a_run_without_a_line_of_its_own_in_the_job_log_fails(
    tmp_path: Path, started: str | None
) -> None:
    if started is not None:
        run = json.dumps({"state_id": STATE_ID, "started": started})
        (tmp_path / "jobs.jsonl").write_text(run, encoding="utf-8")
    with pytest.raises(PartError):
        read_last_run(tmp_path / "jobs.jsonl", STATE_ID, "2025-01-03T00:00:00Z")
