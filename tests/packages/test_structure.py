"""A stranger finds the way in both packages: few modules at the root, rooms that say what they are.

Which room may import which, and that no files import each other in a circle, `make lint` checks.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from packages.environment import PLUGINS, ROOT

if TYPE_CHECKING:
    from pathlib import Path
ROOT_MODULES = 8
LINES = 350


def package(plugin: str) -> Path:
    return ROOT / plugin / plugin.replace("-", "_")


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_root_of_a_package_holds_at_most_eight_modules(plugin: str) -> None:
    modules = sorted(file.name for file in package(plugin).glob("*.py"))
    assert 0 < len(modules) <= ROOT_MODULES, modules


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_folder_says_in_a_sentence_what_it_is_about(plugin: str) -> None:
    folders = {file.parent for file in package(plugin).rglob("*.py")}
    assert len(folders) > 1
    for folder in folders:
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert said, folder
        assert said.endswith("."), folder
        assert "\n\n" not in said, folder


@pytest.mark.parametrize("plugin", PLUGINS)
def test_no_file_is_longer_than_can_be_read_at_once(plugin: str) -> None:
    files = [*package(plugin).rglob("*.py"), *(ROOT / plugin / "tests").rglob("*.py")]
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert lengths
    assert not [str(file) for file, length in lengths.items() if length > LINES]
