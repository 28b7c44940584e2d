"""`check` as Meltano's users run it: settings and selection come from the project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.project import Project
    from sandbox.client import Sandbox

SELECTED = """
plugins:
  extractors:
  - name: tap-hubspot-email-events--few
    inherit_from: tap-hubspot-email-events
    select: [email_forward.*, email_reply.*]
"""


def report(output: str) -> dict[str, Any]:
    """The JSON after Meltano's own lines."""
    found: dict[str, Any] = json.loads(output[output.index("\n{\n") :])
    return found


def test_both_plugins_are_checked_with_the_projects_settings(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.set_limits(requests_per_10_seconds=190)
    sandbox.generate(events=3_000, days=20)
    tap = project.meltano(
        "invoke", "tap-hubspot-email-events:check", "--assumptions", "--wait", "1s", "--json"
    )
    found = report(tap.stdout)
    assert tap.returncode == 0, tap.stdout
    streams = [each["name"] for each in found["checks"] if each["name"].startswith("email_")]
    assert len(streams) == 10
    assert {each["result"] for each in found["assumptions"]} <= {"assumed", "unknown"}
    target = project.meltano("invoke", "target-amplitude:check", "--json")
    assert target.returncode == 0, target.stdout
    assert report(target.stdout)["checks"][0]["result"] == "ok"


def test_a_plugin_that_inherits_is_checked_with_its_own_selection_and_state(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.generate(events=3_000, days=20)
    path = project.folder / "meltano.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("include_paths:", "include_paths:\n- ./few.yml"), encoding="utf-8")
    (project.folder / "few.yml").write_text(SELECTED, encoding="utf-8")
    few = "tap-hubspot-email-events--few"
    state_id = f"prod:{few}-to-target-amplitude"
    run = project.meltano("run", few, "target-amplitude")
    assert run.returncode == 0, run.stdout
    state = project.meltano("state", "get", state_id)
    (project.folder / "state.json").write_text(state.stdout[state.stdout.index("\n{") :])

    checked = project.meltano("invoke", f"{few}:check", "--json", "--state", "state.json")

    found = {each["name"]: each for each in report(checked.stdout)["checks"]}
    assert [name for name in found if name.startswith("email_")] == ["email_forward", "email_reply"]
    assert found["bookmarks"]["result"] == "ok", found["bookmarks"]
    assert checked.returncode == 0
