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


def test_both_plugins_read_settings_by_the_same_code() -> None:
    folders = [(plugin, package(plugin) / "configuration") for plugin in PLUGINS]
    texts = [
        {
            file.name: file.read_text(encoding="utf-8").replace(plugin.replace("-", "_"), "plugin")
            for file in folder.glob("*.py")
        }
        for plugin, folder in folders
    ]
    assert len(texts[0]) == 4
    assert texts[0] == texts[1]


def test_all_three_programs_write_their_output_by_the_same_code() -> None:
    files = [
        package("tap-hubspot-email-events") / "singer/output.py",
        package("target-amplitude") / "output.py",
        ROOT / "transforms/mapper_email_events/output.py",
    ]
    assert len({file.read_text(encoding="utf-8") for file in files}) == 1
