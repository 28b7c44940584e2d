"""A release is built by workflows that can do no more than they need, from a tag that is true."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import metadata
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from packages.environment import PLUGINS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"(\./\.github/workflows/\w+\.yml|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_reads_only_and_runs_pinned_actions(path: Path) -> None:
    workflow = load(path)
    actions = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))

    assert workflow["permissions"] == {"contents": "read"}
    assert actions
    assert all(PINNED.fullmatch(action) for action in actions), actions


def test_only_publishing_may_ask_for_an_identity() -> None:
    jobs = load(ROOT / ".github/workflows/release.yml")["jobs"]

    asked = {name: job["permissions"] for name, job in jobs.items() if "permissions" in job}
    assert asked == {"publish": {"id-token": "write"}}
    assert set(jobs["publish"]["needs"]) == {"ci", "build"}
    assert not any("run" in step for step in jobs["publish"]["steps"])


def test_ci_tries_every_python_that_the_packages_name() -> None:
    matrix = load(ROOT / ".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]

    for plugin in PLUGINS:
        classifiers = metadata(plugin).get_all("Classifier") or []
        named = [each.rpartition(" ")[2] for each in classifiers]
        assert [each for each in named if each.startswith("3.")] == matrix["python-version"]


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.github-workflows", ".github/workflows/*.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
        ("vendor.meltano", "meltano.yml"),
    ],
)
def test_a_file_for_others_keeps_their_schema(schema: str, pattern: str) -> None:
    files = [str(path) for path in ROOT.glob(pattern)]
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)

    assert files
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("plugin", PLUGINS)
def test_only_a_true_tag_may_be_released(tmp_path: Path, plugin: str) -> None:
    addresses = metadata(plugin).get_all("Project-URL") or []
    repository = dict(each.split(", ", 1) for each in addresses)["Repository"]
    module = f"{plugin}/{plugin.replace('-', '_')}/__init__.py"
    changelog = f"{plugin}/CHANGELOG.md"
    for path in (".github/check-release", f"{plugin}/pyproject.toml", module, changelog):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)

    def replace(path: str, pattern: str, replacement: str) -> None:
        text = (tmp_path / path).read_text(encoding="utf-8")
        changed = re.sub(pattern, replacement, text, count=1)
        (tmp_path / path).write_text(changed, encoding="utf-8")

    def refusal(tag: str, address: str = repository) -> str:
        check = [str(tmp_path / ".github/check-release"), tag, address]
        return subprocess.run(check, capture_output=True, text=True, check=False).stderr

    replace(module, r'"\d.*"', '"0.9.0"')
    replace(changelog, r"## \[\d.*", "## [0.9.0] - 2026-11-30")
    assert refusal(f"{plugin}-v0.9.0") == ""
    assert "names no package" in refusal("v0.9.0")
    assert "differ" in refusal(f"{plugin}-v0.9.1")
    assert "another repository" in refusal(f"{plugin}-v0.9.0", "https://other")
    replace(changelog, "2026-11-30", "unreleased")
    assert "no dated section" in refusal(f"{plugin}-v0.9.0")
