"""What is made from the settings is as `make docs` writes it, and says what the code does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from docs.generate import generated_files
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_amplitude.target import TargetAmplitude

if TYPE_CHECKING:
    from singer_sdk import Tap, Target

ROOT = Path(__file__).parents[2]
PLUGINS: dict[str, tuple[type[Tap | Target], str]] = {
    "tap-hubspot-email-events": (TapHubSpotEmailEvents, "extractors"),
    "target-amplitude": (TargetAmplitude, "loaders"),
}


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


def test_make_docs_changes_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "docs.generate", str(tmp_path)], cwd=ROOT, check=True)

    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert len(written) == 7
    for path in written:
        assert (ROOT / path).read_text("utf-8") == (tmp_path / path).read_text("utf-8"), (
            f"{path} is out of date: run `make docs`"
        )


def test_every_hub_file_is_generated() -> None:
    hub = {str(path.relative_to(ROOT)) for path in (ROOT / "hub").rglob("*.yml")}
    assert {path for path in hub if "/." not in path} <= generated_files().keys()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_sdk_adds_no_setting_of_its_own(plugin: str) -> None:
    assert list(in_code(plugin)) == list(PLUGINS[plugin][0].config_jsonschema["properties"])


@pytest.mark.parametrize("plugin", PLUGINS)
def test_meltano_passes_every_setting_on_as_it_is(plugin: str) -> None:
    code, meltano = in_code(plugin), in_meltano(plugin)
    assert list(meltano) == list(code)
    for name, setting in meltano.items():
        assert setting["kind"] == "string", name
        assert setting.get("sensitive", False) == code[name].get("secret", False), name
        assert setting.get("value") == code[name].get("default"), name
