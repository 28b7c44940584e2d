from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from packages.environment import PLUGINS, ROOT, UV, Environment

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both packages, each wheel built from the sdist beside it."""
    folder = tmp_path_factory.mktemp("dist")
    for plugin in PLUGINS:
        build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
        subprocess.run([*build, str(ROOT / plugin)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def environment(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that was empty before both wheels were installed, outside the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv = folder / "venv"
    wheels = [str(wheel) for wheel in dist.glob("*.whl")]
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", str(venv / "bin/python")]
    subprocess.run([*install, *wheels], check=True)
    return Environment(folder, venv / "bin")


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    sandbox.generate(events=300, days=5)
    return sandbox
