"""User ids of the product instead of addresses, from HubSpot's contacts to Amplitude's users."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from demo.reconcile import EVENT_NAMES
from pipeline.pipe import Pipe

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox


@pytest.fixture
def pipe(tmp_path: Path, sandbox: Sandbox) -> Pipe:
    sandbox.generate(events=1_500, days=20)
    pipe = Pipe(tmp_path, sandbox)
    pipe.tap["contact_properties"] = ["product_user_id"]
    pipe.target["user_field"] = "contact.product_user_id"
    return pipe


def recipients(sandbox: Sandbox) -> dict[str, str]:
    """The recipient of each event that is carried, by the event's id."""
    return {
        event["id"]: event["recipient"]
        for event in sandbox.hubspot_events()
        if event.get("type") in EVENT_NAMES
    }


def expected_users(sandbox: Sandbox) -> dict[str, str | None]:
    """The product's user id of each of them."""
    contacts = sandbox.contacts()
    return {
        id_: contacts.get(recipient.lower(), {}).get("product_user_id")
        for id_, recipient in recipients(sandbox).items()
    }


def arrived_users(sandbox: Sandbox) -> dict[str, str]:
    return {
        event["event_properties"]["id"]: event["user_id"] for event in sandbox.amplitude_events()
    }


def test_events_of_unknown_users_are_left_out_and_counted(pipe: Pipe, sandbox: Sandbox) -> None:
    counts = pipe.run(unknown_users="skip")

    users = expected_users(sandbox)
    known = {id_: user for id_, user in users.items() if user is not None}
    assert arrived_users(sandbox) == known
    assert counts == {
        "read": len(users),
        "delivered": len(known),
        "skipped": len(users) - len(known),
        "matched": len(known),
        "fell_back": 0,
    }


def test_events_join_the_products_users_or_go_by_address_and_the_old_are_not_doubled(
    pipe: Pipe, sandbox: Sandbox
) -> None:
    cut = datetime.now(tz=timezone.utc) - timedelta(days=2)
    pipe.run(tap={"end_date": cut.isoformat()}, user_field="recipient")
    before = arrived_users(sandbox)

    pipe.run(tap={"lookback_minutes": 0})
    sandbox.arrive(events=100)
    counts = pipe.run()

    users, addresses = expected_users(sandbox), recipients(sandbox)
    arrived = arrived_users(sandbox)
    new = users.keys() - before.keys()
    assert len(sandbox.amplitude_events()) == len(users)
    assert {id_: arrived[id_] for id_ in before} == before
    assert {id_: arrived[id_] for id_ in new} == {id_: users[id_] or addresses[id_] for id_ in new}
    assert before
    assert len({users[id_] is None for id_ in new}) == 2
    assert counts["delivered"] == counts["matched"] + counts["fell_back"] == counts["read"] > 0
