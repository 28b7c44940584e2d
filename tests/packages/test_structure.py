"""Folders say what they are about; `make lint` checks which may import which."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from packages.environment import PLUGINS, ROOT

if TYPE_CHECKING:
    from pathlib import Path


def package(plugin: str) -> Path:
    return ROOT / plugin / plugin.replace("-", "_")


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_folder_says_in_a_sentence_what_it_is_about(plugin: str) -> None:
    folders = {file.parent for file in package(plugin).rglob("*.py")}
    assert len(folders) > 1
    for folder in folders:
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert said, folder
        assert said.endswith("."), folder
        assert "\n\n" not in said, folder
