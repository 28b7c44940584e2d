"""Write the pictures that README and docs show, by `make pictures`.

That of the first run is what `make demo` leaves on a terminal. Those of the job log's page are of
made-up job logs; that of Dagster's page, where Dagster is set up, is of a year that it has loaded
from the sandbox.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from browser import Browser, missing
from demo.job_logs import JOB_LOGS, NOW
from demo.transcript import draw, record
from orchestrate.dagster_project import DAGSTER, DagsterProject
from pipeline.project import MELTANO, ROOT, empty_database
from sandbox.client import Sandbox
from target_amplitude.history.page import make_page
from target_amplitude.history.runs import LoggedRun

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = ROOT / "docs"
DOWN_TO_DELIVERED = "section:nth-of-type(2)"
PAGES = {"history.png": "two_days", "history-failed.png": "week_with_failures"}
MONTHS = 12
LIMIT = 100
PATIENCE = 120


def main() -> int:
    """Return 1 where something is missing or fails."""
    lines = record([sys.executable, "-m", "demo", "--meltano", str(MELTANO)])
    (DOCS / "first-run.svg").write_text(draw("make demo", lines), encoding="utf-8")
    print("docs/first-run.svg")
    if programs := missing():
        print(f"The other pictures need {programs}: apt-get install chromium chromium-driver")
        return 1
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        for name, job_log in PAGES.items():
            page = Path(folder, "page.html")
            runs = [LoggedRun(line) for line in JOB_LOGS[job_log]()]
            page.write_text(make_page(runs, NOW), encoding="utf-8")
            browser.resize(900, 600)
            browser.open(page.as_uri())
            (DOCS / name).write_bytes(browser.picture(DOWN_TO_DELIVERED))
            print(f"docs/{name}")
        if not (DAGSTER / "dagster-webserver").exists():
            print("docs/dagster-history.png is left as it is: make setup-dagster")
            return 0
        return _picture_dagster(browser, Path(folder))


def _picture_dagster(browser: Browser, folder: Path) -> int:
    month = datetime.now(timezone.utc)
    months: list[str] = []
    for _ in range(MONTHS):
        month = month.replace(day=1) - timedelta(days=1)
        months.append(f"{month:%Y-%m}")
    (folder / "database").mkdir()
    (folder / "project").mkdir()
    database = empty_database(folder / "database")
    with Sandbox(seed=5, requests_per_10_seconds=LIMIT) as sandbox:
        sandbox.generate(events=2_000, days=400)
        project = DagsterProject(
            folder / "project", sandbox, database, first_month=months[-1], limit=LIMIT
        )
        arguments = ("--account", "first", "--from", months[-1], "--to", months[0])
        if project.start("invoke", "dagster:backfill", *arguments).wait():
            print(project.output.read_text("utf-8")[-3000:])
            return 1
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        server = subprocess.Popen(
            [
                *(DAGSTER / "dagster-webserver", "--host", "127.0.0.1", "--port", str(port)),
                *("--module-name", "email_events_orchestration.definitions"),
            ],
            cwd=project.folder,
            env=project.environment
            | {
                "PATH": f"{DAGSTER}:{os.environ['PATH']}",
                "DAGSTER_HOME": str(project.home),
                "EMAIL_EVENTS_ORCHESTRATION": str(project.home.parent / "orchestration.yml"),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(lambda: _answers(address))
            browser.resize(1280, 1060)
            partition = f"view=partitions&partition={months[8]}-01"
            browser.open(f"{address}/assets/email_events_by_month/first?{partition}")
            _wait(lambda: "events_delivered" in browser.text())
            (DOCS / "dagster-history.png").write_bytes(browser.picture())
            print("docs/dagster-history.png")
        finally:
            server.terminate()
            server.wait()
    return 0


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/server_info", timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            message = "Dagster's page does not come up."
            raise TimeoutError(message)
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
