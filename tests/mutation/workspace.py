"""Runs mutmut on a copy of a plugin and reads what it has found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
# Exit codes that mutmut notes for a mutant: the tests passed, or none runs the changed function.
PASSED = 0
NO_TESTS = 33


@dataclass(frozen=True, slots=True)
class Part:
    """Modules of one plugin, as patterns of their paths within its package."""

    name: str
    folder: str
    modules: tuple[str, ...]
    without: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The package that the modules are in."""
        return self.folder.replace("-", "_")

    def found(self) -> list[str]:
        """The modules that the patterns find."""
        package = ROOT / self.folder / self.package
        return sorted(
            str(path.relative_to(package))
            for pattern in self.modules
            for path in package.glob(pattern)
            if path.name not in self.without
        )


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function, and whether a test noticed it."""

    name: str
    module: str
    is_noticed: bool


class Workspace:
    """A copy of a plugin, with settings for mutmut and pytest."""

    def __init__(self, part: Part, modules: Sequence[str]) -> None:
        self._package = part.package
        self._folder = ROOT / ".mutants" / part.name
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in (part.package, "tests"):
            shutil.copytree(
                ROOT / part.folder / name,
                self._folder / name,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        shutil.copytree(
            ROOT / "tests/common_tests",
            self._folder / "tests/common",
            # It takes both plugins.
            ignore=shutil.ignore_patterns("test_plugin.py"),
        )
        shutil.copy(ROOT / "conftest.py", self._folder)
        settings: dict[str, Any] = {
            "source_paths": [part.package],
            "only_mutate": [f"{part.package}/{module}" for module in modules],
            "also_copy": ["conftest.py", "pytest.ini"],
            "pytest_add_cli_args": ["--hypothesis-profile=ci"],
            "pytest_add_cli_args_test_selection": sorted(
                {str(test) for module in modules for test in self._tests(module)}
            ),
            # Seconds before a run of the tests counts as endless: five times what they take.
            "timeout_multiplier": 5.0,
            "use_git_change_detection": False,
            "track_dependencies": False,
        }
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        (self._folder / "pyproject.toml").write_text("".join(["[tool.mutmut]\n", *lines]))
        (self._folder / "pytest.ini").write_text(
            "[pytest]\naddopts = --import-mode=importlib -p mutation.in_process\n"
            f"pythonpath = {ROOT / 'tests'}\n"
        )

    def _tests(self, module: str) -> Iterator[Path]:
        """The tests in the folder of the same name; those at the root, by the module's name."""
        folder, name = os.path.split(module)
        tests = self._folder / "tests" / folder
        for path in tests.glob("test_*.py" if folder else f"test_{name}"):
            yield path.relative_to(self._folder)

    def run(self) -> None:
        """Try every mutant.

        Raises:
            CalledProcessError: The tests fail without any change, or mutmut does.
        """
        self._mutmut("run", "--max-children", str(os.cpu_count() or 1))

    def mutants(self) -> Iterator[Mutant]:
        """Yield what was tried."""
        package = self._folder / "mutants" / self._package
        for path in sorted(package.rglob("*.py.meta")):
            module = str(path.relative_to(package)).removesuffix(".meta")
            for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
                yield Mutant(name, module, code not in (PASSED, NO_TESTS, None))

    def difference(self, mutant: Mutant) -> str:
        """What a mutant changes, as a diff."""
        return self._mutmut("show", mutant.name, stdout=subprocess.PIPE)

    def _mutmut(self, *arguments: str, stdout: int | None = None) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mutmut", *arguments],
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
            stdout=stdout,
            text=True,
            check=True,
        )
        return done.stdout or ""
