"""The projects in hubspot-app/ are what HubSpot's command line takes, with no scope too many."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from packages.environment import ROOT
from tap_hubspot_email_events.connect.consent import redirect_address
from tap_hubspot_email_events.hubspot.contacts import CONTACTS_SCOPE

if TYPE_CHECKING:
    from pathlib import Path

PROJECTS = {"static": ROOT / "hubspot-app", "oauth": ROOT / "hubspot-app/oauth"}
# HubSpot's own parser, which its command line uses before it uploads.
PARSER = "@hubspot/project-parsing-lib@0.23.0"
PARSE = """
import { translate } from "@hubspot/project-parsing-lib/translate";
import { validateUid } from "@hubspot/project-parsing-lib/uid";
import { readFileSync } from "fs";
const [folder] = process.argv.slice(2);
const project = JSON.parse(readFileSync(`${folder}/hsproject.json`));
const context = {
  projectSourceDir: `${folder}/${project.srcDir}`,
  platformVersion: project.platformVersion,
  accountId: 1,
};
// Its schemas are HubSpot's, behind an account; the rest of the checks are done.
const made = await translate(context, { skipValidation: true });
const nodes = Object.values(made.intermediateRepresentation.intermediateNodesIndexedByUid);
console.log(JSON.stringify({
  skipped: made.skippedHsMetaFiles,
  nodes,
  uids: nodes.map(node => validateUid(node.uid) ?? "fine"),
}));
"""


def app(kind: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (PROJECTS[kind] / "src/app/app-hsmeta.json").read_text(encoding="utf-8")
    )
    return content


@pytest.mark.parametrize("kind", PROJECTS)
def test_a_project_has_the_fields_that_hubspot_requires(kind: str) -> None:
    project = json.loads((PROJECTS[kind] / "hsproject.json").read_text(encoding="utf-8"))
    assert project.keys() == {"name", "srcDir", "platformVersion"}
    assert re.fullmatch(r"\d{4}\.\d{2}", project["platformVersion"])
    content = app(kind)
    assert content["type"] == "app"
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", content["uid"])
    config = content["config"]
    assert {"name", "description", "distribution", "auth"} <= config.keys()
    assert config["distribution"] == "private"
    assert config["auth"]["type"] == kind


def test_no_scope_is_asked_for_that_is_not_needed() -> None:
    static, oauth = (app(kind)["config"]["auth"] for kind in ("static", "oauth"))
    assert static["requiredScopes"] == ["content"]
    # HubSpot gives an app with a token of its own no other scopes than required ones.
    assert static["optionalScopes"] == static["conditionallyRequiredScopes"] == []
    assert oauth["requiredScopes"] == ["oauth", "content"]
    assert oauth["optionalScopes"] == []
    assert oauth["conditionallyRequiredScopes"] == [CONTACTS_SCOPE]


def test_the_projects_can_live_in_one_account_and_one_redirects_to_the_connect_command() -> None:
    assert app("static")["uid"] != app("oauth")["uid"]
    assert app("oauth")["config"]["auth"]["redirectUrls"] == [redirect_address(8723)]
    assert "redirectUrls" not in app("static")["config"]["auth"]


@pytest.fixture(scope="session")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("parser")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PARSER]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip("npm's registry cannot be reached")
    (folder / "parse.mjs").write_text(PARSE, encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", PROJECTS)
def test_hubspots_own_parser_takes_the_project(parser: Path, tmp_path: Path, kind: str) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECTS[kind], project, ignore=shutil.ignore_patterns("oauth"))
    command = ["node", "parse.mjs", str(project)]
    done = subprocess.run(command, cwd=parser, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["skipped"] == []
    assert made["uids"] == ["fine"]
    (node,) = made["nodes"]
    assert node["componentType"] == "APPLICATION"
    assert node["config"]["auth"] == app(kind)["config"]["auth"]
