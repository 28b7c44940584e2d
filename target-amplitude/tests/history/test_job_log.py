from __future__ import annotations

import fcntl
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import record, run_of, schema, state
from target_amplitude.history import job_log
from target_amplitude.history.job_log import JobLog, older_file, read_job_log, state_id

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_the_summary_of_a_stream(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault("amplitude", action="answer", status=500, times=1)
    loader.load(run_of(120))
    summary = loader.streams["email_open"]
    assert summary["read"] == summary["delivered"] == summary["retried"] == 120
    assert summary["requests"] == 2
    assert summary["distinct_users"] == 50
    assert summary["bytes"] > 120 * 200
    assert loader.runs[0]["outcome"] == "delivered"
    assert "@" not in loader.job_log_path.read_text()
    assert summary["delivered_by_hour"] == summary["events_by_hour"] == {"2026-11-01T00": 120}


def test_by_hour_only_what_amplitude_accepted_counts_as_delivered(loader: Loader) -> None:
    later = [record(number, created=f"2026-11-01T05:00:0{number}Z") for number in range(3)]
    later[1]["record"]["recipient"] = "none"
    loader.load([*run_of(4)[:-1], *later, state(7)])
    assert loader.streams["email_open"]["delivered_by_hour"] == {
        "2026-11-01T00": 4,
        "2026-11-01T05": 2,
    }
    loader.load(run_of(4), dry_run=True)
    assert loader.streams["email_open"]["delivered_by_hour"] == {}


def ended_early(*, complete: bool, reason: object = None) -> dict[str, Any]:
    value = state(1)["value"] | {"last_run": {"complete": complete, "reason": reason}}
    return {"type": "STATE", "value": value}


LIMIT = "HubSpot's daily request limit is used up."
UNKNOWN = "the input ended early: the tap or a mapping says why"


@pytest.mark.parametrize(
    ("messages", "outcome"),
    [
        ([*run_of(3), ended_early(complete=True)], "delivered"),
        ([ended_early(complete=False), *run_of(3), ended_early(complete=True)], "delivered"),
        ([*run_of(3), ended_early(complete=False)], UNKNOWN),
        (
            [*run_of(3), ended_early(complete=False, reason=LIMIT)],
            "the input ended early: HubSpot's daily request limit is used up",
        ),
        (
            [*run_of(3), ended_early(complete=False, reason="\x1b[1m\n" + 999 * "x")],
            f"the input ended early: [1m {295 * 'x'}",
        ),
        ([ended_early(complete=False)], UNKNOWN),
        ([], UNKNOWN),
        (["", ""], UNKNOWN),
        # What other taps write, and replayed rejects.
        (run_of(3), "delivered"),
        (run_of(3)[:-1], "delivered"),
        ([schema()], "delivered"),
        ([*run_of(3), {"type": "STATE", "value": {"last_run": "yesterday"}}], "delivered"),
        ([*run_of(3), {"type": "STATE", "value": {"last_run": {"complete": 0}}}], "delivered"),
        ([*run_of(3), {"type": "STATE", "value": [1]}], "delivered"),
        ([*run_of(3), '{"type": "STATE", "value": {"last_run": NaN}}'], "delivered"),
    ],
)
def test_a_run_is_good_when_all_of_its_input_came(
    loader: Loader, messages: list[Any], outcome: str
) -> None:
    loader.load(messages)
    (run,) = loader.runs
    assert (run["outcome"], run["exit_code"]) == (outcome, 0)
    assert run["complete"] is (outcome == "delivered")


def test_a_large_job_log_is_renamed_and_both_are_read(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = loader.job_log_path
    loader.load(run_of(1))
    monkeypatch.setattr(job_log, "MAX_BYTES", 2.5 * path.stat().st_size)
    for _ in range(5):
        loader.load(run_of(1))
    assert len(loader.runs) == 3
    started = [run.started for run in read_job_log(path)[0]]
    assert len(started) == 6
    assert started == sorted(started)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(older_file(path).stat().st_mode) == 0o600
    path.unlink()
    assert len(read_job_log(path)[0]) == 3


def test_runs_that_end_at_the_same_time_lose_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_log, "MAX_BYTES", 40_000)
    path = tmp_path / "jobs"

    def append(writer: int) -> None:
        log = JobLog(path)
        for number in range(50):
            log.append({"writer": writer, "number": number, "text": 80 * "x"})

    threads = [threading.Thread(target=append, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs, unreadable = read_job_log(path)
    found = {(run.line["writer"], run.line["number"]) for run in runs}
    assert unreadable == 0
    assert len(found) == len(runs) == 400
    assert older_file(path).exists()


def test_nobody_waits_for_a_process_that_stopped_while_it_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_log, "MAX_BYTES", 10)
    path = tmp_path / "jobs"
    log = JobLog(path)
    log.append({"number": 1})
    begun = time.monotonic()
    with path.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        log.append({"number": 2})
    assert time.monotonic() - begun < 5
    assert [run.line["number"] for run in read_job_log(path)[0]] == [1, 2]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "prod:tap-to-amplitude"),
        ({"MELTANO_RUN_STATE_ID_SUFFIX": ""}, "prod:tap-to-amplitude"),
        ({"MELTANO_RUN_STATE_ID_SUFFIX": "again"}, "prod:tap-to-amplitude:again"),
        # As with `meltano invoke`, and without Meltano.
        ({"MELTANO_EXTRACTOR_NAME": ""}, None),
        ({"MELTANO_ENVIRONMENT": ""}, None),
    ],
)
def test_a_run_knows_its_state_id_by_meltanos_variables(
    loader: Loader, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], expected: str | None
) -> None:
    variables = {
        "MELTANO_ENVIRONMENT": "prod",
        "MELTANO_EXTRACTOR_NAME": "tap",
        "MELTANO_LOADER_NAME": "amplitude",
    }
    for name, value in (variables | changed).items():
        monkeypatch.setenv(name, value)
    assert state_id(variables | changed) == expected
    loader.load(run_of(1))
    assert loader.runs[0].get("state_id") == expected
