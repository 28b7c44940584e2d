"""The Hub files are what the plugins say of themselves, and keep the Hub's rules."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.generate import about

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


# What follows of the refresh is as in meltano/hub-utils, `MeltanoUtil._parse_sdk_about_settings`.
ABBREVIATIONS = {"Url": "URL", "Id": "ID", "Api": "API"}
SOUNDS_SECRET = ("password", "id", "token", "key", "secret")


def refreshed_label(name: str) -> str:
    return " ".join(
        ABBREVIATIONS.get(word, word) for word in name.replace("_", " ").title().split()
    )


def refreshed_kind(name: str, schema: dict[str, Any]) -> str:
    first: str = schema["type"][0]
    if first != "string":
        return "integer" if first == "number" else first
    if name in {"start_date", "end_date"}:
        return "date_iso8601"
    return "password" if any(word in name for word in SOUNDS_SECRET) else "string"


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.parent.name)
def test_the_hubs_weekly_refresh_changes_no_setting(path: Path) -> None:
    properties = about(path.parent.name)["settings"]["properties"]
    listed = {setting["name"]: setting for setting in load(path)["settings"]}

    assert properties.keys() == listed.keys()
    for name, setting in listed.items():
        # The refresh would list the parts of an object one by one, and label the choices anew.
        assert not {"properties", "oneOf", "enum"} & properties[name].keys()
        assert setting["label"] == refreshed_label(name)
        assert setting["kind"] == refreshed_kind(name, properties[name])
        assert setting.get("value") == properties[name].get("default")
        # It ends a sentence at each full stop, and begins the next with a capital.
        *sentences, end = setting["description"].split(".")
        assert end == ""
        assert all(re.match(r" ?[A-Z]", sentence) for sentence in sentences), name


def test_every_definition_has_its_default_variant_maintainer_and_logo() -> None:
    default_variants = load(HUB / "_data/default_variants.yml")
    maintainers = load(HUB / "_data/maintainers.yml")

    definitions = {path: load(path) for path in DEFINITIONS}
    assert {definition["variant"] for definition in definitions.values()} == set(maintainers)
    for path, definition in definitions.items():
        plugin_type, name = path.parts[-3], path.parent.name
        assert default_variants[plugin_type][name] == definition["variant"]
        assert (HUB / f"static{definition['logo_url']}").is_file()
