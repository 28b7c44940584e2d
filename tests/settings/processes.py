"""The plugins as processes of their own, with settings from a channel."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from forked import Forked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CLASSES = {
    "tap-hubspot-email-events": ("tap_hubspot_email_events.tap", "TapHubSpotEmailEvents"),
    "target-amplitude": ("target_amplitude.target", "TargetAmplitude"),
}
CHANNELS = ("file", "environment", ".env")
PATIENCE = 60


class Done(NamedTuple):
    """How a process has ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def prefix(plugin: str) -> str:
    return plugin.upper().replace("-", "_")


def as_variables(plugin: str, values: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix(plugin)}_{name.upper()}": value for name, value in values.items()}


def prepare(plugin: str, channel: str, values: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Put settings where a channel has them; returns the environment of the process."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(tuple(map(prefix, CLASSES)))
    }
    if channel == "file":
        (folder / "config.json").write_text(json.dumps(values))
    elif channel == "environment":
        environment |= as_variables(plugin, values)
    else:
        lines = [f"{name}={_quoted(value)}" for name, value in as_variables(plugin, values).items()]
        (folder / ".env").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return environment


def settings_read(
    plugin: str, channel: str, values: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """The settings that a process has read."""
    options = ["settings.show", *CLASSES[plugin], *_config_option(channel)]
    done = finished(options, prepare(plugin, channel, values, folder), folder)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def run(plugin: str, channel: str, values: Mapping[str, Any], folder: Path) -> Done:
    """Run the plugin's command, the target with an event that it must not send."""
    options = [plugin, *_config_option(channel)]
    stdin = EVENT.encode() if plugin == "target-amplitude" else b""
    return finished(options, prepare(plugin, channel, values, folder), folder, stdin)


def finished(
    options: Sequence[str], environment: Mapping[str, str], folder: Path, stdin: bytes = b""
) -> Done:
    with Forked(*options, environment=environment, folder=folder, stdin=stdin) as process:
        output, errors = process.communicate(PATIENCE)
    return Done(process.returncode, output.decode(), errors.decode())


def _config_option(channel: str) -> list[str]:
    return ["--config", "config.json" if channel == "file" else "ENV"]


EVENT = "".join(
    f"{json.dumps(message)}\n"
    for message in (
        {
            "type": "SCHEMA",
            "stream": "email_open",
            "schema": {"properties": {}},
            "key_properties": [],
        },
        {
            "type": "RECORD",
            "stream": "email_open",
            "record": {
                "id": "1",
                "created": "2026-01-02T03:04:05.678Z",
                "type": "OPEN",
                "portalId": 1,
                "recipient": "jane.doe@example.com",
            },
        },
    )
)


def _quoted(value: str) -> str:
    """A value for `.env`, with what the format gives a meaning escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
