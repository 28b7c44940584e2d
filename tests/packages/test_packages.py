"""What is published works without the repository it was built from."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING

import pytest

from packages.environment import PLUGINS

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from pathlib import Path

    from sandbox.client import Sandbox


def module_of(plugin: str) -> str:
    return plugin.replace("-", "_")


def metadata_of(dist: Path, plugin: str) -> Message:
    (path,) = dist.glob(f"{module_of(plugin)}-*.whl")
    with zipfile.ZipFile(path) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(wheel.read(name).decode())


def test_the_package_index_would_take_them(dist: Path) -> None:
    files = sorted(str(path) for path in dist.iterdir())
    check = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)

    assert len(files) == 2 * len(PLUGINS)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("plugin", PLUGINS)
def test_metadata_is_complete(dist: Path, plugin: str) -> None:
    metadata = metadata_of(dist, plugin)
    addresses = dict(each.split(", ", 1) for each in metadata.get_all("Project-URL") or [])

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"
    assert {"meltano", "singer"} <= set(metadata["Keywords"].split(","))
    assert "Typing :: Typed" in (metadata.get_all("Classifier") or [])
    assert addresses.keys() == {"Changelog", "Documentation", "Issues", "Repository"}
    assert all(address.startswith(addresses["Repository"]) for address in addresses.values())


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_wheel_holds_the_typed_package_its_licence_and_nothing_else(
    dist: Path, plugin: str
) -> None:
    (wheel,) = dist.glob(f"{module_of(plugin)}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    tops = {name.split("/", 1)[0] for name in files}

    assert f"{module_of(plugin)}/py.typed" in files
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)
    assert tops == {module_of(plugin), f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_an_installed_plugin_says_what_it_is(
    installed: Callable[..., str], dist: Path, plugin: str
) -> None:
    version = metadata_of(dist, plugin)["Version"]
    about = json.loads(installed(plugin, "--about", "--format=json"))

    assert f"{plugin} v{version}," in installed(plugin, "--version")
    assert (about["name"], about["version"]) == (plugin, version)


def test_installed_plugins_discover_read_and_deliver(
    installed: Callable[..., str], sandbox: Sandbox, tmp_path: Path
) -> None:
    tap_config = {
        "api_url": sandbox.hubspot_url,
        "access_token": "sandbox-access-token",
        "start_date": "2020-01-01T00:00:00Z",
    }
    target_config = {"api_url": sandbox.amplitude_url, "api_key": "sandbox-api-key"}
    (tmp_path / "tap.json").write_text(json.dumps(tap_config), encoding="utf-8")
    (tmp_path / "target.json").write_text(json.dumps(target_config), encoding="utf-8")

    tap = ("tap-hubspot-email-events", "--config", tmp_path / "tap.json")
    catalog = json.loads(installed(*tap, "--discover"))
    read = installed(*tap)
    installed("target-amplitude", "--config", tmp_path / "target.json", given=read)

    streams = {stream["tap_stream_id"] for stream in catalog["streams"]}
    delivered = sum(sandbox.amplitude_counts().values())
    assert {"email_sent", "email_open", "email_campaigns"} <= streams
    by_default = {**sandbox.hubspot_counts(), "FORWARD": 0, "UNBOUNCE": 0}
    assert delivered == read.count('"type":"RECORD"') == sum(by_default.values())
