"""What is published works without the repository it was built from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING

import pytest

from packages.environment import PLUGINS, ROOT, Environment, by_default

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

    from sandbox.client import Sandbox

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


def module_of(plugin: str) -> str:
    return plugin.replace("-", "_")


def files_of(path: Path) -> set[str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return set(wheel.namelist())
    with tarfile.open(path) as sdist:
        return {name.split("/", 1)[1] for name in sdist.getnames()}


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
    classifiers = metadata.get_all("Classifier") or []
    addresses = dict(each.split(", ", 1) for each in metadata.get_all("Project-URL") or [])

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"
    assert {"meltano", "singer"} <= set(metadata["Keywords"].split(","))
    assert [
        each.rpartition(" ")[2] for each in classifiers if re.search(r"Python :: 3\.\d", each)
    ] == PYTHONS
    assert "Typing :: Typed" in classifiers
    assert addresses.keys() == {"Changelog", "Documentation", "Issues", "Repository"}
    assert all(address.startswith(addresses["Repository"]) for address in addresses.values())


def test_both_packages_name_the_same_repository(dist: Path) -> None:
    repositories = {
        address
        for plugin in PLUGINS
        for address in metadata_of(dist, plugin).get_all("Project-URL") or []
        if address.startswith("Repository, ")
    }

    assert len(repositories) == 1


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_wheel_holds_the_typed_package_its_licence_and_nothing_else(
    dist: Path, plugin: str
) -> None:
    (wheel,) = dist.glob(f"{module_of(plugin)}-*.whl")
    files = files_of(wheel)
    tops = {name.split("/", 1)[0] for name in files}

    assert f"{module_of(plugin)}/py.typed" in files
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)
    assert tops == {module_of(plugin), f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_an_sdist_holds_every_module_of_the_checkout(dist: Path, plugin: str) -> None:
    (sdist,) = dist.glob(f"{module_of(plugin)}-*.tar.gz")
    package = ROOT / plugin / module_of(plugin)
    modules = {str(path.relative_to(ROOT / plugin)) for path in package.rglob("*.py")}

    assert modules | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= files_of(sdist)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_version_stands_in_the_changelog(dist: Path, plugin: str) -> None:
    changelog = (ROOT / plugin / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"\n## [{metadata_of(dist, plugin)['Version']}] - " in changelog


@pytest.mark.parametrize("plugin", PLUGINS)
def test_an_installed_plugin_says_what_it_is(
    environment: Environment, dist: Path, plugin: str
) -> None:
    version = metadata_of(dist, plugin)["Version"]
    about = json.loads(environment.run(plugin, "--about", "--format=json").stdout)

    assert f"{plugin} v{version}," in environment.run(plugin, "--version").stdout
    assert (about["name"], about["version"]) == (plugin, version)
    assert about["supported_python_versions"] == PYTHONS


def test_installed_plugins_discover_read_and_deliver(
    environment: Environment, sandbox: Sandbox
) -> None:
    tap_config = {
        "api_url": sandbox.hubspot_url,
        "access_token": "sandbox-access-token",
        "start_date": "2020-01-01T00:00:00Z",
    }
    target_config = {"api_url": sandbox.amplitude_url, "api_key": "sandbox-api-key"}
    (environment.folder / "tap.json").write_text(json.dumps(tap_config), encoding="utf-8")
    (environment.folder / "target.json").write_text(json.dumps(target_config), encoding="utf-8")

    tap = ("tap-hubspot-email-events", "--config", "tap.json")
    catalog = json.loads(environment.run(*tap, "--discover").stdout)
    read = environment.run(*tap).stdout
    environment.run("target-amplitude", "--config", "target.json", given=read)

    streams = {stream["tap_stream_id"] for stream in catalog["streams"]}
    delivered = sum(sandbox.amplitude_counts().values())
    assert {"email_sent", "email_open", "email_campaigns"} <= streams
    assert delivered == read.count('"type":"RECORD"') == by_default(sandbox)


@pytest.mark.parametrize(
    "command", ["target-amplitude-check", "target-amplitude-jobs", "target-amplitude-taxonomy"]
)
def test_the_targets_own_commands_are_installed(environment: Environment, command: str) -> None:
    assert "usage" in environment.run(command, "--help").stdout.lower()
