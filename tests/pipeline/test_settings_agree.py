"""The settings in the code, in meltano.yml and in the READMEs are the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_amplitude.target import TargetAmplitude

if TYPE_CHECKING:
    from singer_sdk import Tap, Target

ROOT = Path(__file__).parents[2]
PLUGINS: dict[str, tuple[type[Tap | Target], str]] = {
    "tap-hubspot-email-events": (TapHubSpotEmailEvents, "extractors"),
    "target-amplitude": (TargetAmplitude, "loaders"),
}
KINDS = {
    "integer": {"integer"},
    "number": {"decimal"},
    "boolean": {"boolean"},
    "object": {"object"},
    "array": {"array"},
    "string": {"string", "options", "date_iso8601", "file"},
}
# Meltano reads these from its own machine-made defaults, and an empty one is no default to write.
EMPTY: tuple[Any, ...] = (None, {}, [])


def in_code(plugin: str) -> dict[str, dict[str, Any]]:
    plugin_class = PLUGINS[plugin][0]
    schema = {
        **plugin_class.config_jsonschema,
        "properties": dict(plugin_class.config_jsonschema["properties"]),
    }
    plugin_class.append_builtin_config(schema)
    return dict(schema["properties"])


def in_meltano(plugin: str) -> dict[str, dict[str, Any]]:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    definitions = project["plugins"][PLUGINS[plugin][1]]
    definition = next(each for each in definitions if each["name"] == plugin)
    return {setting["name"]: setting for setting in definition["settings"]}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_meltano_declares_every_setting_as_the_code_does(plugin: str) -> None:
    code, meltano = in_code(plugin), in_meltano(plugin)

    assert list(meltano) == list(code)
    for name, setting in meltano.items():
        assert {"label", "kind", "description", "sensitive"} <= setting.keys(), name
        assert setting["sensitive"] == code[name].get("secret", False), name
        types = set(code[name]["type"]) - {"null"}
        assert any(setting["kind"] in KINDS[each] for each in types), name
        if code[name].get("default") not in EMPTY or setting.get("value") not in EMPTY:
            assert setting.get("value") == code[name].get("default"), name
        if allowed := code[name].get("enum"):
            assert [option["value"] for option in setting["options"]] == allowed, name


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("readme", ["README.md", "{plugin}/README.md"])
def test_a_readme_lists_every_setting_and_no_other(plugin: str, readme: str) -> None:
    text = (ROOT / readme.format(plugin=plugin)).read_text(encoding="utf-8")
    heading = f"### {plugin}\n" if readme == "README.md" else "## Settings\n"
    text = text.split(heading)[1].split("\n##")[0]
    rows = [line for line in text.splitlines() if re.match(r"\| `[a-z_0-9]+`", line)]
    listed = [name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row.split("|")[1])]

    assert listed == list(in_code(plugin))
    for row in rows:
        name = re.findall(r"`([a-z_0-9]+)`", row.split("|")[1])[0]
        default = in_code(plugin)[name].get("default")
        if default not in EMPTY:
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            cell = row.split("|")[2].replace("`", "").replace(",", "")
            assert cell.strip() == shown.strip(), name
