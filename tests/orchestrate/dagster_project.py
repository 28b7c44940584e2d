"""A Meltano project with Dagster and two HubSpot accounts, in a folder of its own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from guide_blocks import blocks_of
from pipeline.project import MELTANO, ROOT, SECOND_ACCOUNT, Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.client import Sandbox

DAGSTER = ROOT / ".meltano/utilities/dagster/venv/bin"
PATIENCE = 900
ORCHESTRATION = """
first_month: {first_month}
accounts:
- name: first
  run: [tap-hubspot-email-events, target-amplitude]
  requests_per_10_seconds: {limit}
- name: second
  run: [tap-hubspot-email-events--second, target-amplitude]
  requests_per_10_seconds: {limit}
executor:
  name: dagster:multiprocess_executor
  config: {{max_concurrent: 4, start_method: {{forkserver: {{}}}}}}
"""
HISTORY = """
answer = {}
for account in ("first", "second"):
    key = AssetKey(["email_events_by_month", account])
    records = instance.fetch_materializations(key, limit=1000).records
    answer[account] = {
        record.partition_key: {
            name: value.value for name, value in record.asset_materialization.metadata.items()
        }
        for record in records
    }
"""


class DagsterProject(Project):
    """The checkout's project, with Dagster's history in the same folder."""

    def __init__(
        self, folder: Path, sandbox: Sandbox, database: Path, *, first_month: str, limit: int
    ) -> None:
        super().__init__(folder, sandbox, database)
        shutil.copytree(
            ROOT / "orchestrate",
            folder / "orchestrate",
            ignore=lambda _, names: [name for name in names if name in {"history", "storage"}],
        )
        (folder / "orchestrate/second.meltano.yml").write_text(SECOND_ACCOUNT, encoding="utf-8")
        (folder / "orchestrate/dagster/orchestration.yml").write_text(
            ORCHESTRATION.format(first_month=first_month, limit=limit), encoding="utf-8"
        )
        (folder / ".meltano/utilities").symlink_to(ROOT / ".meltano/utilities")
        self.output = folder / "output.txt"
        self.home = folder / "orchestrate/dagster/home"
        self.environment |= {"SECOND_ACCESS_TOKEN": "sandbox-access-token-2"}

    def start(self, *arguments: str, log: str = "output.txt") -> subprocess.Popen[bytes]:
        """Start `meltano` with the given arguments; its output goes to a file of that name."""
        # A pipe that nobody reads meanwhile would fill up and hold everything.
        with (self.folder / log).open("wb") as output:
            return subprocess.Popen(
                [str(MELTANO), *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def dagster(self, code: str) -> Any:
        """Run Python in Dagster's environment, with `instance` at hand; returns its `answer`."""
        prelude = (
            "import json\nfrom dagster import *\n"
            "with DagsterInstance.get() as instance:\n    {}\n    print(json.dumps(answer))"
        )
        run = subprocess.run(
            [DAGSTER / "python", "-c", prelude.format(code.strip().replace("\n", "\n    "))],
            cwd=self.folder,
            env=self.environment
            | {
                "DAGSTER_HOME": str(self.home),
                "EMAIL_EVENTS_ORCHESTRATION": str(self.home.parent / "orchestration.yml"),
            },
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            check=True,
        )
        return json.loads(run.stdout)


def page_commands(target: str) -> list[list[str]]:
    """The commands that follow a target of the Makefile in a block of docs/scheduling.md."""
    blocks = blocks_of((ROOT / "docs/scheduling.md").read_text("utf-8"))
    (block,) = (block for block in blocks if block.text.startswith(f"make {target}"))
    return [shlex.split(line, comments=True) for line in block.text.splitlines()[1:]]


def past_months(count: int) -> list[str]:
    """The last whole months, oldest first."""
    month = datetime.now(timezone.utc).replace(day=1)
    months: list[str] = []
    while len(months) < count:
        month = (month - timedelta(days=1)).replace(day=1)
        months.insert(0, f"{month:%Y-%m}")
    return months


def milliseconds(month: str) -> int:
    """The beginning of a month in UTC."""
    return int(datetime.fromisoformat(f"{month}-01T00:00:00+00:00").timestamp() * 1000)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait for a condition, which the end of a process would make impossible."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None, "ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.2)


def assert_history_tells(
    project: DagsterProject, months: list[str], *, delivered: int, requests: int
) -> None:
    """Dagster has the figures of each month of both accounts, one of which took two attempts."""
    history = project.dagster(HISTORY)
    expected = {f"{month}-01" for month in months}
    assert set(history["first"]) == set(history["second"]) == expected
    parts = [part for account in history.values() for part in account.values()]
    assert any(part["attempts"] > 1 for part in parts)
    # A killed attempt leaves no figures, and what it had delivered is not read again.
    assert 0 < sum(part["events_delivered"] for part in parts) <= delivered
    assert {part["hubspot_requests_per_10_seconds"] for part in parts} == {requests}
    assert all(re.fullmatch(r"\S+-01T00:00:00.000Z to \S+Z", part["range"]) for part in parts)
