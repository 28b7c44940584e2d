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

ROOT = Path(__file__).parents[2]
HUB = ROOT / "hub"
DEFINITIONS = sorted(HUB.glob("_data/meltano/*/*/*.yml"))

RULES = yaml.safe_load((Path(__file__).parent / "rules.yml").read_text(encoding="utf-8"))
# The Hub's weekly refresh takes a string setting with one of these in its name for a secret.
SOUNDS_SECRET = re.compile(r"password|id|token|key|secret")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def allowed(words: str) -> set[str]:
    return set(words.split())


def test_the_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hub.generate", str(tmp_path)], cwd=ROOT, check=True)

    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.yml")}
    assert written == {path.relative_to(HUB) for path in HUB.rglob("*.yml")}
    for path in written:
        assert (HUB / path).read_text("utf-8") == (tmp_path / path).read_text("utf-8"), (
            f"{path} is out of date: run `make hub`"
        )


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
def test_only_secrets_have_names_that_the_hub_takes_for_secrets(path: Path) -> None:
    for setting in load(path)["settings"]:
        if setting["kind"] in {"string", "options", "password"}:
            sounds_secret = bool(SOUNDS_SECRET.search(setting["name"]))
            assert setting.get("sensitive", False) == sounds_secret, setting["name"]


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.parent.name)
def test_the_hub_has_the_settings_of_the_meltano_project(path: Path) -> None:
    project = load(ROOT / "meltano.yml")["plugins"][path.parts[-3]]
    declared = next(plugin for plugin in project if plugin["name"] == path.parent.name)
    listed = {setting["name"]: setting for setting in load(path)["settings"]}
    kinds = {"password": {"string"}, "string": {"string", "file"}}

    assert sorted(listed) == sorted(setting["name"] for setting in declared["settings"])
    for setting in declared["settings"]:
        hub = listed[setting["name"]]
        assert setting["kind"] in kinds.get(hub["kind"], {hub["kind"]}), setting["name"]
        assert setting.get("sensitive", False) == hub.get("sensitive", False), setting["name"]
        assert (setting.get("value") or None) == (hub.get("value") or None), setting["name"]


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
