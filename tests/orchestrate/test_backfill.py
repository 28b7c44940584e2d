from __future__ import annotations

import os
import subprocess
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from orchestrate.dagster_project import (
    DAGSTER,
    PATIENCE,
    DagsterProject,
    assert_history_tells,
    milliseconds,
    past_months,
    wait_for,
)
from orchestrate.processes import kill_run, processes
from pipeline.once import assert_each_once
from pipeline.project import ROOT
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 40
pytestmark = pytest.mark.skipif(
    not (DAGSTER / "dagster").exists(), reason="Dagster is not installed: make setup-dagster"
)


def busiest_month(events: list[dict[str, Any]], months: list[str]) -> str:
    of_event = Counter(
        f"{datetime.fromtimestamp(event['created'] / 1000, timezone.utc):%Y-%m}" for event in events
    )
    return max(months, key=lambda month: of_event[month])


def test_a_year_of_two_accounts_arrives_once_though_a_part_is_killed_midway(
    tmp_path: Path, database: Path
) -> None:
    months = past_months(12)
    with Sandbox(seed=5, requests_per_10_seconds=LIMIT, latency_hubspot=0.05) as sandbox:
        sandbox.generate(events=1_000, days=400)
        sandbox.generate(events=1_000, days=400, portal_id=4712)
        project = DagsterProject(tmp_path, sandbox, database, first_month=months[0], limit=LIMIT)
        command = project.start(
            "invoke", "dagster:backfill", "--from", months[0], "--to", months[-1]
        )

        busiest = busiest_month(sandbox.hubspot_events(), months)
        wait_for(lambda: kill_run(tmp_path, busiest), command)
        command.wait(PATIENCE)

        assert command.returncode == 0, project.output.read_text("utf-8")[-5000:]
        first, end = milliseconds(months[0]), milliseconds(f"{datetime.now(timezone.utc):%Y-%m}")
        wanted = [event for event in sandbox.hubspot_events() if first <= event["created"] < end]
        delivered = assert_each_once(sandbox, more_than=1_000, events=wanted)
        # The sandbox holds each account to its limit: 429 is what more would have got.
        assert "429" not in sandbox.hubspot_stats()["by_status"]
        assert_history_tells(project, months, delivered=delivered, requests=LIMIT // 2)


def test_a_backfill_ends_with_a_table_and_says_what_it_left_out_and_what_it_had_loaded(
    tmp_path: Path, database: Path
) -> None:
    (month,) = past_months(1)
    present = f"{datetime.now(timezone.utc):%Y-%m}"
    with Sandbox(seed=8) as sandbox:
        sandbox.generate(events=200, days=60)
        project = DagsterProject(tmp_path, sandbox, database, first_month=month, limit=LIMIT)
        arguments = ("--from", month, "--to", present, "--account", "first")

        first = ended(project, *arguments)
        second = ended(project, *arguments)
        delivered = sandbox.amplitude_stats()["events_received"]

    code, output = first
    assert code == 0, output
    assert "DEBUG" not in output
    header, of_month, totals, left_out = output.splitlines()[-4:]
    assert header.split()[2:] == ["read", "delivered", "rejected", "seconds", "outcome"]
    figures = [str(delivered), str(delivered), "0"]
    assert delivered > 0
    assert of_month.split()[:5] == ["first", month, *figures]
    assert of_month.endswith("loaded")
    assert totals.split()[:4] == ["all", *figures]
    assert totals.endswith("1 of 1 loaded")
    assert left_out == f"{present} is not over, left out"
    code, output = second
    assert code == 0
    assert f"first    {month}" in output
    assert "already loaded (--again reads it anew)" in output


def ended(project: DagsterProject, *arguments: str) -> tuple[int, str]:
    code = project.start("invoke", "dagster:backfill", *arguments).wait(PATIENCE)
    return code, project.output.read_text("utf-8")


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("foo", "bar", "foo is not a month"),
        ("2025-01", "2025-13", "2025-13 is not a month"),
        ("2025-03", "2025-01", "--from 2025-03 is after --to 2025-01"),
        ("2019-01", "2019-02", "2019-01 to 2019-02 are before `first_month`"),
    ],
)
def test_what_is_no_range_of_months_is_refused_in_a_sentence(
    first: str, last: str, sentence: str
) -> None:
    refused = subprocess.run(
        [DAGSTER / "email-events-backfill", "--from", first, "--to", last],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (refused.returncode, refused.stdout) == (2, "")
    assert sentence in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_stop_signal_ends_every_process_of_a_backfill(tmp_path: Path, database: Path) -> None:
    months = past_months(2)
    with Sandbox(seed=8, latency_hubspot=1) as sandbox:
        sandbox.generate(events=200, days=60)
        project = DagsterProject(tmp_path, sandbox, database, first_month=months[0], limit=LIMIT)
        command = project.start(
            "invoke", "dagster:backfill", "--from", months[0], "--to", months[1]
        )
        wait_for(lambda: any(b"--catalog" in words for _, words, _ in processes(tmp_path)))

        command.terminate()

        assert command.wait(PATIENCE) == 1
        wait_for(lambda: not list(processes(tmp_path)))
        assert "stopped before its end" in project.output.read_text("utf-8")


def test_commands_that_meet_in_a_fresh_home_all_find_its_tables(tmp_path: Path) -> None:
    code = "from email_events_orchestration.home import open_home; open_home().get_runs(limit=1)"
    commands = [
        subprocess.Popen(
            [DAGSTER / "python", "-c", code],
            env=os.environ | {"DAGSTER_HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    errors = [command.communicate(timeout=PATIENCE)[1] for command in commands]

    assert [command.returncode for command in commands] == [0] * 4, errors
