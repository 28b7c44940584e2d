"""What names and meanings events get in Amplitude beside the events themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_hubspot_email_events.streams.schemas import event_schema
from target_amplitude.taxonomy.plan import EVENT_TYPES
from target_amplitude.taxonomy.properties import properties_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.project import Project
    from sandbox.client import Sandbox

# Which contact properties there are is a choice of the user's.
NOT_DESCRIBED = {"type", "created", "contact"}


def sent_names(properties: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Names of a schema's properties as the target flattens them."""
    for name, schema in properties.items():
        nested = schema.get("properties")
        if nested:
            yield from sent_names(nested, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_field_the_tap_declares_is_described(kind: str) -> None:
    described = {planned.name for planned in properties_of(kind, "another")}
    assert set(sent_names(event_schema(kind)["properties"])) - NOT_DESCRIBED <= described


def test_meltano_registers_the_names_and_makes_a_lookup_table_of_the_campaigns(
    project: Project, sandbox: Sandbox
) -> None:
    sandbox.generate(events=500, days=5)
    project.environment["TARGET_AMPLITUDE_SECRET_KEY"] = "sandbox-secret-key"
    project.environment["TAP_HUBSPOT_EMAIL_EVENTS__SELECT"] = (
        '["email_campaigns.*", "email_open.*"]'
    )

    registered = project.meltano("invoke", "target-amplitude:taxonomy")
    run = project.meltano("run", "tap-hubspot-email-events", "target-amplitude")

    assert registered.returncode == 0, registered.stdout
    assert len(sandbox.taxonomy()["event"]) == 10
    assert "sandbox-secret-key" not in registered.stdout
    assert run.returncode == 0, run.stdout
    (table,) = sandbox.lookup_tables().values()
    named = {row["emailCampaignId"]: row["campaign.name"] for row in table["rows"]}
    expected = {
        str(campaign["id"]): campaign["name"]
        for campaign in sandbox.campaigns()
        if not campaign["deleted"]
    }
    assert named.items() >= expected.items()
    counts = sandbox.amplitude_counts()
    assert counts == {"[HubSpot] EMAIL_OPEN": sandbox.hubspot_counts()["OPEN"]}
