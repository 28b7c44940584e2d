from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from packages.environment import PLUGINS, ROOT, UV

if TYPE_CHECKING:
    from collections.abc import Callable
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
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a command of both wheels, installed where nothing else is; returns what it printed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv = folder / "venv"
    wheels = [str(wheel) for wheel in dist.glob("*.whl")]
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", str(venv / "bin/python")]
    subprocess.run([*install, *wheels], check=True)
    # PYTHONPATH may name the checkout's folders.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(name: str, *arguments: object, given: str | None = None) -> str:
        done = subprocess.run(
            [str(venv / "bin" / name), *map(str, arguments)],
            cwd=folder,
            env=variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    sandbox.generate(events=300, days=5)
    return sandbox
