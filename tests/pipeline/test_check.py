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


def test_plugins_are_checked_with_the_settings_selection_and_state_of_the_project(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.generate(events=3_000, days=20)
    project.include(SELECTED)
    few = "tap-hubspot-email-events--few"
    run = project.meltano("run", few, "target-amplitude")
    assert run.returncode == 0, run.stdout
    state = project.meltano("state", "get", f"prod:{few}-to-target-amplitude")
    (project.folder / "state.json").write_text(state.stdout[state.stdout.index("\n{") :])

    tap = project.meltano("invoke", f"{few}:check", "--json", "--state", "state.json")
    target = project.meltano("invoke", "target-amplitude:check", "--json")

    assert (tap.returncode, target.returncode) == (0, 0), tap.stdout + target.stdout
    found = {each["name"]: each for each in report(tap.stdout)["checks"]}
    assert [name for name in found if name.startswith("email_")] == ["email_forward", "email_reply"]
    assert found["bookmarks"]["result"] == "ok", found["bookmarks"]
    assert report(target.stdout)["checks"][0]["result"] == "ok"
