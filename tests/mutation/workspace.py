"""Runs mutmut on a copy of a plugin and reads what it has found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mutation.parts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mutation.parts import Part

# Exit codes that mutmut notes for a mutant: the tests passed, or none runs the changed function.
PASSED = 0
NO_TESTS = 33


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function, and whether a test noticed it."""

    name: str
    module: str
    is_noticed: bool


class Workspace:
    """A copy of a plugin, with settings for mutmut and pytest."""

    def __init__(self, folder: Path, part: Part) -> None:
        """Use `folder`, which is replaced by `prepare`."""
        self._folder = folder
        self._part = part

    def prepare(self) -> None:
        """Copy the plugin and write the settings."""
        part = self._part
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in (part.package, "tests"):
            shutil.copytree(
                ROOT / part.folder / name,
                self._folder / name,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        # The tests of what both plugins share are run with one of them.
        shutil.copytree(ROOT / "tests/common_tests", self._folder / "tests/common_tests")
        shutil.copy(ROOT / "conftest.py", self._folder)
        settings: dict[str, Any] = {
            "source_paths": [part.package],
            "only_mutate": [f"{part.package}/{module}" for module in part.modules],
            "also_copy": ["conftest.py", "pytest.ini"],
            "pytest_add_cli_args": ["--hypothesis-profile=ci"],
            "pytest_add_cli_args_test_selection": [f"tests/{test}" for test in part.tests],
            # Seconds before a run of the tests counts as endless: five times what they take.
            "timeout_multiplier": 5.0,
            "use_git_change_detection": False,
            "track_dependencies": False,
        }
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        (self._folder / "pyproject.toml").write_text("".join(["[tool.mutmut]\n", *lines]))
        (self._folder / "pytest.ini").write_text(
            f"[pytest]\naddopts = --import-mode=importlib\npythonpath = {ROOT / 'tests'}\n"
        )

    def run(self) -> None:
        """Try every mutant.

        Raises:
            CalledProcessError: The tests fail without any change, or mutmut does.
        """
        self._mutmut("run", "--max-children", str(os.cpu_count() or 1))

    def mutants(self) -> Iterator[Mutant]:
        """Yield what was tried."""
        package = self._folder / "mutants" / self._part.package
        for path in sorted(package.rglob("*.py.meta")):
            module = str(path.relative_to(package)).removesuffix(".meta")
            for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
                yield Mutant(name, module, code not in (PASSED, NO_TESTS, None))

    def change(self, mutant: Mutant) -> tuple[str, str]:
        """What a mutant takes out of the code, and what it puts there."""
        lines = self._mutmut("show", mutant.name, quiet=True).splitlines()
        was, now = (
            " ".join(
                line[1:].strip()
                for line in lines
                if line.startswith(sign) and not line.startswith(sign * 3)
            )
            for sign in "-+"
        )
        return was, now

    def _mutmut(self, *arguments: str, quiet: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mutmut", *arguments],
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
            stdout=subprocess.PIPE if quiet else None,
            text=True,
            check=True,
        )
        return done.stdout or ""
