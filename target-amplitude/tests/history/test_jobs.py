from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from loading.messages import record, run_of, schema, state
from target_amplitude.errors import RunFailedError
from target_amplitude.history.job_table import job_table
from target_amplitude.history.jobs import main
from target_amplitude.history.runs import LoggedRun

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
    titles, first, second, *more = shown(str(loader.job_log_path))
    assert titles.split() == [
        *("Started", "Streams", "Read", "Delivered", "Skipped", "Rejected", "Lag", "Took"),
        "Outcome",
    ]
    for cell in ("  2  ", "  21  ", "  20  ", "1 invalid id", "delivered"):
        assert cell in first
    assert "takes no events (status 404)" in " ".join([second, *more])


@pytest.mark.parametrize("named", ["*/*/jobs.jsonl*", "output", "output/worker-*"])
def test_the_logs_of_several_machines_are_one_history(tmp_path: Path, named: str) -> None:
    one, two = tmp_path / "output/worker-1/jobs.jsonl", tmp_path / "output/worker-2/jobs.jsonl.1"
    for log, hours in ((one, [3]), (one.with_name("jobs.jsonl.1"), [1]), (two, [2, 4])):
        runs = [{"started": f"2026-11-29T0{hour}:00:00Z", "seconds": 9} for hour in hours]
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(f"{json.dumps(run)}\n" for run in runs))
    # As a shell has it: the older file of a log is read with the newer one.
    paths = [str(path) for path in sorted(tmp_path.glob(named))]
    (runs,) = map(json.loads, shown(*paths, "--json"))
    assert [run["started"][11:13] for run in runs] == ["01", "02", "03", "04"]


def test_a_narrow_terminal_shows_what_matters_in_few_columns(loader: Loader) -> None:
    loader.load(run_of(20))
    lines = [
        f"{line}  {outcome}"
        for line, outcome, _ in job_table([*map(LoggedRun, loader.runs)], width=60)
    ]
    assert lines[0].split() == ["Started", "Delivered", "Rejected", "Outcome"]
    assert all(len(line) <= 60 for line in lines)


@pytest.mark.parametrize(
    ("run", "colour"),
    [
        ({"outcome": "delivered", "exit_code": 0}, "green"),
        ({"outcome": "delivered", "exit_code": 0, "streams": [{"rejected": {"x": 1}}]}, "yellow"),
        ({"outcome": "no answer", "exit_code": 1}, "red"),
        ({"outcome": "the input ended early", "exit_code": 0, "complete": False}, "red"),
        ({"outcome": "dry run", "exit_code": 0, "dry_run": True}, "cyan"),
    ],
)
def test_an_outcome_has_its_colour(run: dict[str, Any], colour: str) -> None:
    failed = "failed: " if colour == "red" else ""
    _, outcome, style = job_table([LoggedRun(run)], width=120)[1]
    assert (outcome, style) == (f"{failed}{run['outcome']}", {"fg": colour})


@pytest.mark.parametrize(("max_age", "code"), [("3h", 0), ("20s", 1)])
def test_the_age_is_of_the_users_choice(tmp_path: Path, max_age: str, code: int) -> None:
    log = tmp_path / "jobs"
    started = datetime.now(timezone.utc) - timedelta(minutes=130)
    log.write_text(json.dumps({"started": started.isoformat(), "seconds": 30, "exit_code": 0}))
    result = CliRunner().invoke(main, [str(log), "--check", "--max-age", max_age])
    assert result.exit_code == code
    assert result.output.endswith("; --max-age is 20 seconds.\n") == (code == 1)


def test_the_job_log_is_found_by_the_settings(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.load(run_of(3))
    loader.load(run_of(4))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(loader.config))
    (line,) = shown("--config", str(config), "--limit", "1", "--json")
    assert json.loads(line) == loader.runs[-1:]
    monkeypatch.setenv("TARGET_AMPLITUDE_JOB_LOG_PATH", str(loader.job_log_path))
    assert len(shown()) == 3


@pytest.mark.parametrize("arguments", [[], ["nowhere.jsonl"], ["."], ["--config", "nowhere.json"]])
def test_no_job_log_is_one_sentence(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARGET_AMPLITUDE_JOB_LOG_PATH", raising=False)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
