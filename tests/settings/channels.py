"""Settings given through a channel, and what the plugins read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_amplitude.target import TargetAmplitude

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.plugin_base import PluginBase

CLASSES: dict[str, type[PluginBase]] = {
    "tap-hubspot-email-events": TapHubSpotEmailEvents,
    "target-amplitude": TargetAmplitude,
}
CHANNELS = ("file", "environment", ".env")


def prefix(plugin: str) -> str:
    return plugin.upper().replace("-", "_")


def as_variables(plugin: str, values: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix(plugin)}_{name.upper()}": value for name, value in values.items()}


def settings_read(plugin: str, channel: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a plugin has read; files are written to the working directory.

    Raises:
        UserError: The plugin takes one of them for wrong.
    """
    plugin_class, config = CLASSES[plugin], "ENV"
    with pytest.MonkeyPatch.context() as patch:
        if channel == "file":
            config = "config.json"
            Path(config).write_text(json.dumps(values))
        elif channel == "environment":
            for name, value in as_variables(plugin, values).items():
                patch.setenv(name, value)
        else:
            variables = as_variables(plugin, values).items()
            lines = "".join(f"{name}={_quoted(value)}\n" for name, value in variables)
            Path(".env").write_text(lines, encoding="utf-8")
        command = plugin_class.get_singer_command()
        given = command.make_context(plugin, ["--config", config]).params["config"]
        return dict(plugin_class(config=given.config, parse_env_config=given.parse_env).config)


def _quoted(value: str) -> str:
    """A value for `.env`, with what the format gives a meaning escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
