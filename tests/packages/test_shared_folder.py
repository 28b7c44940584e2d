"""Each package holds the shared folder, and is not built where Git could not link it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

from packages.environment import PLUGINS, ROOT

SHARED = {path.name: path.read_bytes() for path in (ROOT / "common").glob("*.py")}
PACKAGES = [*(plugin.replace("-", "_") for plugin in PLUGINS), "mapper_email_events"]


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_a_checkout_has_one_copy(package: str) -> None:
    found = import_module(f"{package}.common").__file__
    assert found is not None
    assert Path(found).resolve() == ROOT / "common/__init__.py"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_wheel_holds_its_files_and_is_the_same_from_checkout_and_sdist(
    dist: Path, plugin: str, tmp_path: Path
) -> None:
    built = run("build", "--no-isolation", "--wheel", "--outdir", tmp_path, ROOT / plugin)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.iterdir()
    assert wheel.read_bytes() == (dist / wheel.name).read_bytes()
    inside = f"{plugin.replace('-', '_')}/common/"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(inside)]
        assert {name.removeprefix(inside): archive.read(name) for name in names} == SHARED


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("how", [("--wheel",), ("--sdist",)])
def test_a_clone_without_symbolic_links_is_refused_in_a_sentence(
    plugin: str, how: tuple[str, ...], tmp_path: Path
) -> None:
    clone = tmp_path / plugin
    shutil.copytree(ROOT / plugin, clone, ignore=shutil.ignore_patterns("common", "tests"))
    # As Git writes a link where core.symlinks is false.
    (clone / plugin.replace("-", "_") / "common").write_text("../../common")
    built = run("build", "--no-isolation", *how, "--outdir", tmp_path / "dist", clone)
    assert built.returncode != 0
    assert "has to be a link to the folder common/" in built.stdout + built.stderr
    assert "Traceback" not in built.stdout + built.stderr
    assert not list(tmp_path.glob("dist/*"))
