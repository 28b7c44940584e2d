from __future__ import annotations

import json
import os
import signal
import socket
import urllib.request
from typing import TYPE_CHECKING

import pytest

from orchestrate.dagster_project import (
    DAGSTER,
    PATIENCE,
    DagsterProject,
    page_commands,
    wait_for,
)
from pipeline.project import ROOT
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not (DAGSTER / "dagster").exists(), reason="Dagster is not installed: make setup-dagster"
)
PORT = 3000
MORE_PLACES = "meltano invoke dagster instance concurrency set hubspot_main 4"
TOLD = """
places = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
answer = [places["hubspot_main"], "SCHEDULER" in instance.get_daemon_heartbeats()]
"""


def test_the_commands_of_the_page_run_as_they_are_written(tmp_path: Path, database: Path) -> None:
    assert MORE_PLACES in " ".join((ROOT / "docs/scheduling.md").read_text("utf-8").split())
    (_, *dev), (_, *backfill) = page_commands("setup-dagster")
    with Sandbox(seed=9) as sandbox:
        project = DagsterProject(tmp_path, sandbox, database, first_month="2025-12", limit=100)
        page = project.start(*dev, log="dev.txt")
        try:
            wait_for(listens, page)
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/server_info") as answer:
                assert "dagster_version" in json.load(answer)
            loaded = project.start(*backfill).wait(PATIENCE)
            more = project.start(*MORE_PLACES.split()[1:], log="more.txt").wait(PATIENCE)
            told = project.dagster(TOLD)
        finally:
            os.killpg(page.pid, signal.SIGTERM)
            page.wait(PATIENCE)

    assert (loaded, more) == (0, 0), project.output.read_text("utf-8")[-3000:]
    assert "2 of 2 loaded" in project.output.read_text("utf-8")
    assert told == [4, True]


def listens() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) == 0
