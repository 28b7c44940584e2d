from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from loading.messages import record, run_of, schema, state
from target_amplitude.errors import RunFailedError
from target_amplitude.history.jobs import main

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox


def shown(*arguments: str) -> list[str]:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0
    return list(result.output.splitlines())


def test_the_history_tells_what_each_run_brought(sandbox: Sandbox, loader: Loader) -> None:
    messages = run_of(20)
    messages[3]["record"]["recipient"] = "none"
    loader.load(
        [*messages, schema("email_click"), record(1, "email_click", type="CLICK"), state(21)]
    )
    sandbox.add_fault("amplitude", action="answer", status=404)
    with pytest.raises(RunFailedError):
        loader.load(run_of(5))
    titles, _, first, second = shown(str(loader.job_log_path))
    assert titles.split()[:2] == ["Started", "Streams"]
    for cell in ("2: email_open, email_click", "21", "20", "1 invalid id", "delivered"):
        assert cell in first
    assert "2026-11-01T00:00:01Z" in first
    assert "2026-11-01T00:00:20Z" in first
    assert "takes no events (status 404)" in second


def test_the_job_log_is_found_by_the_settings(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.load(run_of(1))
    loader.load(run_of(1))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(loader.config))
    by_config = shown("--config", str(config), "--limit", "1")
    assert len(by_config) == 3
    monkeypatch.setenv("TARGET_AMPLITUDE_JOB_LOG_PATH", str(loader.job_log_path))
    assert len(shown()) == 4


def test_a_line_cut_short_is_passed_over(loader: Loader) -> None:
    loader.load(run_of(1))
    with loader.job_log_path.open("a") as file:
        file.write('{"started": "2026')
    assert len(shown(str(loader.job_log_path))) == 3


@pytest.mark.parametrize("arguments", [[], ["nowhere.jsonl"], ["--config", "nowhere.json"]])
def test_no_job_log_is_one_sentence(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARGET_AMPLITUDE_JOB_LOG_PATH", raising=False)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
