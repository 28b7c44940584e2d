from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from container import Script
from orchestrate.dagster_project import DAGSTER
from pipeline.project import MELTANO, ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not (DAGSTER.parent / "kubernetes").exists(), reason="not installed: make setup-kubernetes"
)
# Of the project's own image, as far as this one needs it.
BELOW = ("meltano.yml", "logging.yaml", "requirements", "transforms")
LOADS = "from email_events_orchestration.definitions import build_definitions; build_definitions()"


def test_the_image_of_the_pods_loads_its_accounts_and_has_nothing_of_this_machine(
    tmp_path: Path,
) -> None:
    project = tmp_path / "project"
    (project / ".meltano").mkdir(parents=True)
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/meltano").symlink_to(MELTANO.parents[1])
    for name in BELOW:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    variables = dict(os.environ, PATH=f"{MELTANO.parent}:{os.environ['PATH']}")
    # uv does not read pip's settings.
    if "PIP_INDEX_URL" in variables:
        variables.setdefault("UV_DEFAULT_INDEX", variables["PIP_INDEX_URL"])

    Script(ROOT / "orchestrate", tmp_path, variables, "dagster/examples/Dockerfile").build()

    example = project / "orchestrate/dagster/examples/kubernetes.yml"
    told = yaml.safe_load(example.read_text("utf-8"))["executor"]["config"]["env_vars"]
    of_pods = dict(each.replace("/project", str(project)).split("=", 1) for each in told)
    python = project / ".meltano/utilities/dagster/venv/bin/python"
    subprocess.run([python, "-c", LOADS], cwd=project, env=os.environ | of_pods, check=True)
    assert [path.name for path in (project / "orchestrate/dagster/home").iterdir()] == [
        "dagster.yaml"
    ]
