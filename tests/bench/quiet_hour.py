"""What an hourly `meltano run` without news takes, beside plugins that do nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.measure import RunFailedError
from bench.runners import BIN
from pipeline.project import Project, empty_database
from sandbox.client import Sandbox
from sandbox.scenarios.steady import Steady

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 7
TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"
TAP_NOTHING = """
import os, pathlib, sys
if "--discover" in sys.argv:
    sys.stdout.write(pathlib.Path(os.environ["CATALOG"]).read_text(encoding="utf-8"))
"""
TARGET_NOTHING = """
import sys
for _ in sys.stdin:
    pass
"""


def measure_quiet_hour(folder: Path) -> str:
    """Run both in turn, each after a run that brought what there was; return sentences.

    Those that do nothing have our plugins' settings and streams.
    """
    with Sandbox(seed=7) as sandbox:
        # Nothing of the last hours, which looking back would read again.
        sandbox.add_steady(Steady(7, time.time() - 86_400, hours=1, per_hour=10))
        projects = [
            _project(folder / "ours", sandbox),
            _project(folder / "nothing", sandbox, does_nothing=True),
        ]
        for project in projects:
            _timed(project)
        before = len(sandbox.hubspot_requests())
        rounds = [[_timed(project) for project in projects] for _ in range(ROUNDS)]
        requests = (len(sandbox.hubspot_requests()) - before) // ROUNDS
    ours, others = zip(*rounds, strict=True)
    own, nothing = statistics.median(ours), statistics.median(others)
    return (
        f"An hourly `meltano run` with nothing new and all streams selected: {own:.2f} s "
        f"({min(ours):.2f} to {max(ours):.2f}), and {requests} requests to "
        f"HubSpot. With executables in place of the plugins' that do nothing: {nothing:.2f} s, "
        f"so ours takes {own / nothing:.2f} times as long. Medians of {ROUNDS} runs "
        "in turn, as installed from PyPI."
    )


def _project(folder: Path, sandbox: Sandbox, *, does_nothing: bool = False) -> Project:
    """This repository's project, with the plugins as they come from PyPI.

    Meltano discovers the streams of an editable one anew in each run.
    """
    database = folder / "database"
    (folder / "project").mkdir(parents=True)
    database.mkdir()
    project = Project(folder / "project", sandbox, empty_database(database))
    project.environment["TAP_HUBSPOT_EMAIL_EVENTS__SELECT"] = '["*.*"]'
    path = project.folder / "meltano.yml"
    text = path.read_text(encoding="utf-8").replace("pip_url: -e ./", "pip_url: ./")
    if does_nothing:
        for name, script in _scripts(project).items():
            text = text.replace(f"executable: {name}\n", f"executable: {script}\n")
    path.write_text(text, encoding="utf-8")
    return project


def _scripts(project: Project) -> dict[str, Path]:
    """Executables that do nothing, by the name of the plugin in whose place they stand."""
    catalog = project.folder / "catalog.json"
    found = subprocess.run(
        [str(BIN / TAP), "--discover"], capture_output=True, check=True, text=True
    )
    catalog.write_text(found.stdout, encoding="utf-8")
    project.environment["CATALOG"] = str(catalog)
    scripts = {}
    for name, code in ((TAP, TAP_NOTHING), (TARGET, TARGET_NOTHING)):
        script = scripts[name] = project.folder / f"{name}-nothing"
        script.write_text(f"#!{sys.executable}\n{code}", encoding="utf-8")
        script.chmod(0o755)
    return scripts


def _timed(project: Project) -> float:
    started = time.perf_counter()
    run = project.meltano("run", "--no-install", TAP, TARGET)
    if run.returncode:
        raise RunFailedError(f"meltano run ended with {run.returncode}: {run.stdout[-2000:]}")
    return time.perf_counter() - started
