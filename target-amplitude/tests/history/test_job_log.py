from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from loading.messages import run_of
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_the_job_log_belongs_to_its_owner_and_names_nobody(loader: Loader) -> None:
    loader.load(run_of(5))
    assert stat.S_IMODE(loader.job_log_path.stat().st_mode) == 0o600
    assert "@" not in loader.job_log_path.read_text()


def test_a_job_log_that_cannot_be_written_stops_the_run(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFailedError, match="job_log_path"):
        loader.load(run_of(1), job_log_path=str(tmp_path / "file" / "jobs.jsonl"))
    assert sandbox.amplitude_stats()["requests"] == 0


def test_the_summary_of_a_stream(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault("amplitude", action="answer", status=500, times=1)
    loader.load(run_of(120))
    summary = loader.streams["email_open"]
    assert summary["read"] == summary["delivered"] == summary["retried"] == 120
    assert summary["requests"] == 2
    assert summary["distinct_users"] == 50
    assert summary["bytes"] > 120 * 200
    assert loader.runs[0]["outcome"] == "delivered"
