"""The end of the demo: an event is lost in Amplitude, found by a report, and brought back."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from demo.pipeline import PipelineError, command, environment

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

REPAIR_JOB_LOG = "repair-jobs.jsonl"


def show_repair(meltano: Path, sandbox: Sandbox, output: Path) -> bool:
    """Lose an event, report it, send it and report again; returns whether all went as it should.

    Raises:
        PipelineError: A run of send_missing failed.
    """
    # The sandbox exports what it received without the two hours' delay of the real one, so these
    # runs are not to see in the job log what was delivered just now.
    sandbox.set_amplitude(export_delay_hours=-1)
    lost = next(
        event for event in sandbox.amplitude_events() if event["event_type"].endswith("BOUNCE")
    )
    sandbox.remove_amplitude_events([lost["insert_id"]])
    print(
        f"\nOne {lost['event_type']} is taken out of the local Amplitude; 30 days are reconciled:"
    )
    missing = [
        _reconcile(meltano, sandbox, output, mode) for mode in ("report", "send_missing", "report")
    ]
    return missing == [1, 1, 0]


def _reconcile(meltano: Path, sandbox: Sandbox, output: Path, mode: str) -> int:
    variables = environment(sandbox, output) | {
        "TARGET_AMPLITUDE_SECRET_KEY": "sandbox-secret-key",
        "TARGET_AMPLITUDE_RECONCILE": mode,
        "TARGET_AMPLITUDE_JOB_LOG_PATH": str(output.resolve() / REPAIR_JOB_LOG),
        "MELTANO_RUN_STATE_ID_SUFFIX": "reconcile",
    }
    log = output / "reconcile.log"
    with log.open("ab") as lines:
        code = subprocess.run(
            command(meltano, "--full-refresh"),
            stdout=lines,
            stderr=subprocess.STDOUT,
            env=variables,
            check=False,
        ).returncode
    jobs = (output / REPAIR_JOB_LOG).read_text(encoding="utf-8").splitlines()
    found = json.loads(jobs[-1])["reconciliation"]
    missing: int = found["missing"]
    if code != (mode == "report" and missing > 0):
        raise PipelineError(f"reconcile {mode} ended with exit code {code}, see {log}")
    print(
        f"  {mode:<12}  {found['hubspot']:,} read, {found['amplitude']:,} in Amplitude, "
        f"{missing} missing, {found['doubled']} doubled" + (", sent" if mode != "report" else "")
    )
    return missing
