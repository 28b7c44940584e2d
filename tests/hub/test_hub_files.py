"""The Hub files are what the plugins say of themselves, and keep the Hub's rules."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from hub.generate import about
from hub_refresh import refreshed_settings

ROOT = Path(__file__).parents[2]
HUB = ROOT / "hub"
DEFINITIONS = sorted(HUB.glob("_data/meltano/*/*/*.yml"))

RULES = yaml.safe_load((Path(__file__).parent / "rules.yml").read_text(encoding="utf-8"))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def allowed(words: str) -> set[str]:
    return set(words.split())


def test_the_files_pass_the_hubs_linter() -> None:
    lint = [sys.executable, "-m", "yamllint", "--strict", "-c", ".yamllint.yaml", "_data"]
    linted = subprocess.run(lint, cwd=HUB, capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.parent.name)
def test_a_definition_keeps_the_hubs_schema(path: Path) -> None:
    definition = load(path)
    plugin_type = path.parts[-3]

    assert definition.keys() <= allowed(RULES["keys"]) | allowed(RULES["keys_of_type"][plugin_type])
    assert {"name", "namespace", "variant", "label", "quality"} <= definition.keys()
    assert definition["name"] == path.parent.name
    assert definition["variant"] == path.stem == path.stem.lower()
    assert definition["quality"] == "unknown"
    assert definition["maintenance_status"] in {"active", "beta", "development", "inactive"}
    assert "meltano_sdk" in definition["keywords"]
    assert set(definition["capabilities"]) <= allowed(RULES["capabilities"][plugin_type])
    assert all(re.fullmatch(r"3\.\d+", each) for each in definition["supported_python_versions"])
    names = {setting["name"] for setting in definition["settings"]}
    for group in definition["settings_group_validation"]:
        assert group
        assert set(group) <= names


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.parent.name)
def test_a_setting_keeps_the_hubs_schema(path: Path) -> None:
    for setting in load(path)["settings"]:
        name = setting["name"]
        assert setting.keys() <= allowed(RULES["setting_keys"]), name
        assert setting["kind"] in allowed(RULES["setting_kinds"]), name
        assert (setting["kind"] == "password") == setting.get("sensitive", False), name
        assert (setting["kind"] == "options") == ("options" in setting), name
        assert setting["description"].endswith("."), name
        for option in setting.get("options", []):
            assert option.keys() == {"label", "value"}, name
            assert isinstance(option["value"], str), name


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.parent.name)
def test_the_hubs_weekly_refresh_changes_no_setting(path: Path) -> None:
    refreshed = {each["name"]: each for each in refreshed_settings(about(path.parent.name))}
    listed = {setting["name"]: setting for setting in load(path)["settings"]}

    assert refreshed.keys() == listed.keys()
    for name, setting in listed.items():
        # The refresh leaves the mark of secrets to a hand.
        assert refreshed[name] == {k: v for k, v in setting.items() if k != "sensitive"}, name


def test_every_definition_has_its_default_variant_maintainer_and_logo() -> None:
    default_variants = load(HUB / "_data/default_variants.yml")
    maintainers = load(HUB / "_data/maintainers.yml")

    definitions = {path: load(path) for path in DEFINITIONS}
    assert {definition["variant"] for definition in definitions.values()} == set(maintainers)
    for path, definition in definitions.items():
        plugin_type, name = path.parts[-3], path.parent.name
        assert default_variants[plugin_type][name] == definition["variant"]
        assert (HUB / f"static{definition['logo_url']}").is_file()


@pytest.mark.parametrize("logo", sorted(HUB.rglob("*.svg")), ids=lambda path: path.name)
def test_a_logo_is_a_drawing_without_text_or_ground(logo: Path) -> None:
    picture = ET.parse(logo).getroot()
    tags = {element.tag.rpartition("}")[2] for element in picture.iter()}
    _, _, width, height = picture.attrib["viewBox"].split()

    assert tags <= {"svg", "g", "path", "rect", "circle"}
    assert not any(
        element.get("width") == width and element.get("height") == height
        for element in picture.iter()
    )
