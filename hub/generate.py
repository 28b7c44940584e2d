"""The plugins' Meltano Hub files, made from what the plugins say of themselves.

Facts of the code (settings, labels, defaults, secrets, capabilities, Python versions) come from
`--about`, those of the Meltano project (commands, selection) from meltano.yml, addresses from the
packages' metadata. Needs an environment with both plugins: `make docs` writes the files.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from hub.listing import LISTINGS, MAINTAINER_LABEL

ROOT = Path(__file__).parents[1]


def hub_files() -> dict[str, dict[str, Any]]:
    """Return each file of the pull request, by its path in the Hub's repository."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    files: dict[str, dict[str, Any]] = {}
    default_variants: dict[str, dict[str, str]] = {}
    maintainers: dict[str, dict[str, str]] = {}
    for plugin_type in ("extractors", "loaders"):
        for declared in project["plugins"][plugin_type]:
            name = declared["name"]
            repository = repository_of(name)
            variant = urlsplit(repository).path.split("/")[1].lower()
            path = f"_data/meltano/{plugin_type}/{name}/{variant}.yml"
            files[path] = definition(about(name), declared, repository, variant)
            default_variants.setdefault(plugin_type, {})[name] = variant
            maintainers[variant] = {
                "label": MAINTAINER_LABEL,
                "name": variant,
                "url": repository.rpartition("/")[0],
            }
    files["_data/default_variants.yml"] = dict(default_variants)
    files["_data/maintainers.yml"] = dict(maintainers)
    return files


def about(name: str) -> dict[str, Any]:
    """Return what the plugin's `--about` prints."""
    command = [str(Path(sys.executable).parent / name), "--about", "--format=json"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own command
    return dict(json.loads(printed))


def repository_of(name: str) -> str:
    """Return the address of the repository that the package names."""
    addresses = metadata(name).get_all("Project-URL") or []
    named: dict[str, str] = dict(address.split(", ", 1) for address in addresses)
    return named["Repository"]


def definition(
    about: dict[str, Any], declared: dict[str, Any], repository: str, variant: str
) -> dict[str, Any]:
    """Return the plugin's definition file."""
    properties = about["settings"]["properties"]
    of_project = ("commands", "executable", "label", "namespace", "select")
    return {
        **LISTINGS[about["name"]],
        **{key: declared[key] for key in of_project if key in declared},
        "capabilities": sorted(about["capabilities"]),
        "keywords": ["meltano_sdk"],
        "log_parser": "singer-sdk",
        "maintenance_status": "beta",
        "name": about["name"],
        "pip_url": about["name"],
        "quality": "unknown",
        "repo": repository,
        "settings": [setting(name, properties[name]) for name in sorted(properties)],
        "settings_preamble": "",
        "supported_python_versions": about["supported_python_versions"],
        "variant": variant,
    }


def setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a setting as the Hub's weekly refresh makes it of `--about`."""
    result: dict[str, Any] = {
        "description": schema["description"],
        "kind": kind(name, schema),
        "label": schema["title"],
        "name": name,
    }
    if schema.get("secret"):
        result["sensitive"] = True
    if "default" in schema:
        result["value"] = schema["default"]
    return result


def kind(name: str, schema: dict[str, Any]) -> str:
    """Return the Hub's kind of a setting: the first of its types, but for secrets and dates."""
    if schema.get("secret"):
        return "password"
    if name in {"start_date", "end_date"}:
        return "date_iso8601"
    first: str = schema["type"][0]
    return first
