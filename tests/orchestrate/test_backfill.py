from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from orchestrate.dagster_project import DAGSTER, DagsterProject
from pipeline.once import assert_each_once
from sandbox.client import Sandbox

LIMIT = 40
PATIENCE = 900
pytestmark = pytest.mark.skipif(
    not (DAGSTER / "dagster").exists(), reason="Dagster is not installed: make setup-dagster"
)


def past_months(count: int) -> list[str]:
    """The last whole months, oldest first."""
    month = datetime.now(timezone.utc).replace(day=1)
    months: list[str] = []
    while len(months) < count:
        month = (month - timedelta(days=1)).replace(day=1)
        months.insert(0, f"{month:%Y-%m}")
    return months


def milliseconds(month: str) -> int:
    return int(datetime.fromisoformat(f"{month}-01T00:00:00+00:00").timestamp() * 1000)


def busiest_month(events: list[dict[str, Any]], months: list[str]) -> str:
    of_event = Counter(
        f"{datetime.fromtimestamp(event['created'] / 1000, timezone.utc):%Y-%m}" for event in events
    )
    return max(months, key=lambda month: of_event[month])


def kill_part(month: str, seconds: float) -> bool:
    """Kill the first `meltano run` of a month that is seen reading; False where none is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
                children = (process / f"task/{process.name}/children").read_text().split()
            except OSError:
                continue
            # The tap and the target are up when both are children.
            if f"month-{month}".encode() in words and len(children) >= 2:
                os.kill(int(process.name), signal.SIGKILL)
                return True
        time.sleep(0.02)
    return False


HISTORY = """
from email_events_orchestration.definitions import build_definitions
answer = {}
for account in ("first", "second"):
    key = AssetKey(["email_events_by_month", account])
    records = instance.fetch_materializations(key, limit=100).records
    answer[account] = {
        record.partition_key: {
            name: value.value for name, value in record.asset_materialization.metadata.items()
        }
        for record in records
    }
"""


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
        killed = kill_part(busiest, seconds=PATIENCE)
        command.wait(PATIENCE)

        assert killed
        assert command.returncode == 0, project.output.read_text("utf-8")[-5000:]
        first, end = milliseconds(months[0]), milliseconds(f"{datetime.now(timezone.utc):%Y-%m}")
        wanted = [event for event in sandbox.hubspot_events() if first <= event["created"] < end]
        delivered = assert_each_once(sandbox, more_than=1_000, events=wanted)
        # The sandbox holds each account to its limit: 429 is what more would have got.
        assert "429" not in sandbox.hubspot_stats()["by_status"]
        assert_history_tells(project, months, delivered=delivered)


def assert_history_tells(project: DagsterProject, months: list[str], *, delivered: int) -> None:
    history = project.dagster(HISTORY)
    expected = {f"{month}-01" for month in months}
    assert set(history["first"]) == set(history["second"]) == expected
    parts = [part for account in history.values() for part in account.values()]
    assert sum(part["attempts"] > 1 for part in parts) >= 1
    # A killed attempt leaves no figures, and what it had delivered is not read again.
    assert 0 < sum(part["events_delivered"] for part in parts) <= delivered
    assert all(part["hubspot_requests_per_10_seconds"] == LIMIT // 2 for part in parts)
    assert all(re.fullmatch(r"\S+-01T00:00:00.000Z to \S+Z", part["range"]) for part in parts)
