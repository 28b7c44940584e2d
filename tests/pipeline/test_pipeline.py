from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.once import assert_each_once
from pipeline.project import SECOND_ACCOUNT

if TYPE_CHECKING:
    from pipeline.project import Project
    from sandbox.client import Sandbox


def asked_for_events(sandbox: Sandbox) -> int:
    return sum(request["path"].endswith("/events") for request in sandbox.hubspot_requests())


def test_the_next_run_asks_for_what_is_new_and_finds_late_events(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.generate(events=3_000, days=20)
    pipeline = ("run", "tap-hubspot-email-events", "target-amplitude")
    first = project.meltano(*pipeline)
    asked_by_first = asked_for_events(sandbox)
    sandbox.arrive()

    second = project.meltano(*pipeline)

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    assert_each_once(sandbox, more_than=2_000)
    assert asked_for_events(sandbox) - asked_by_first == 10


def test_two_accounts_reach_one_project_with_bookmarks_of_their_own(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.generate(events=1_000, days=20)
    sandbox.generate(events=500, days=20, portal_id=4712)
    project.include(SECOND_ACCOUNT)

    run = project.meltano(
        "run",
        *("tap-hubspot-email-events", "target-amplitude"),
        *("tap-hubspot-email-events--second", "target-amplitude"),
        environment={"SECOND_ACCESS_TOKEN": "sandbox-access-token-2"},
    )

    assert run.returncode == 0, run.stdout
    assert_each_once(sandbox)
    portals = {event["event_properties"]["portalId"] for event in sandbox.amplitude_events()}
    assert portals == {4711, 4712}
    states = project.meltano("state", "list").stdout
    assert "prod:tap-hubspot-email-events-to-target-amplitude" in states
    assert "prod:tap-hubspot-email-events--second-to-target-amplitude" in states
