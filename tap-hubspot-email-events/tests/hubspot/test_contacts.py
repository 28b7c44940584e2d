"""Events carry the properties of their recipients' contacts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from extracting.in_process import Run, event

if TYPE_CHECKING:
    from sandbox.client import Sandbox

CONTACTS = "/crm/v3/objects/contacts/batch/read"


def test_contacts_are_read_a_hundred_at_once_and_each_address_once(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    people = 250
    hubspot.add_contacts(
        [
            {"email": f"reader{number}@example.com", "firstname": f"Reader {number}"}
            for number in range(0, people, 2)
        ]
    )
    hubspot.add_events([event(number) for number in range(people)])
    hubspot.add_events(
        [
            event(1000 + number, type="OPEN", recipient=f"READER{number}@Example.com")
            for number in range(people)
        ]
    )

    run = Run(hubspot, capsys, contact_properties=["firstname", "product_user_id"])

    assert run.extra_requests == {CONTACTS: math.ceil(people / 100)}
    contacts = {
        (each["recipient"], each["type"]): each["contact"]
        for each in run.records("email_sent", "email_open")
    }
    assert len(contacts) == 2 * people
    nobody = {"firstname": None, "product_user_id": None}
    for number in range(people):
        known = {"firstname": f"Reader {number}", "product_user_id": None}
        expected = nobody if number % 2 else known
        assert contacts[f"reader{number}@example.com", "SENT"] == expected
        assert contacts[f"READER{number}@Example.com", "OPEN"] == expected


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ({"action": "answer", "status": 502}, [502, 502, 207]),
        ({"action": "half_body"}, [207, 207, 207]),
        (
            {
                "action": "answer",
                "status": 429,
                "headers": {"Retry-After": "0"},
                "json": {"policyName": "TEN_SECONDLY_ROLLING"},
            },
            [429, 429, 207],
        ),
    ],
)
def test_a_temporary_failure_with_contacts_is_waited_out(
    hubspot: Sandbox,
    capsys: pytest.CaptureFixture[str],
    fault: dict[str, Any],
    statuses: list[int],
) -> None:
    hubspot.add_events([event(1)])
    hubspot.add_fault("hubspot", path=CONTACTS, times=2, **fault)

    run = Run(hubspot, capsys, contact_properties=["firstname"])

    assert [each["contact"] for each in run.records()] == [{"firstname": None}]
    assert [each["status"] for each in run.requests if each["path"] == CONTACTS] == statuses


def test_a_missing_scope_is_one_sentence_that_names_it(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.add_events([event(1), event(2, type="OPEN")])
    hubspot.set_token("sandbox-access-token", ["oauth", "content"])

    run = Run(hubspot, capsys, contact_properties=["firstname"])

    assert run.failure.count("`crm.objects.contacts.read`") == 1
    assert "`content`" not in run.failure
    assert not run.records()


def test_a_daily_limit_met_while_enriching_ends_the_run_cleanly(
    hubspot: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    hubspot.add_events([event(1)])
    hubspot.add_fault(
        "hubspot", path=CONTACTS, action="answer", status=429, json={"policyName": "DAILY"}
    )

    run = Run(hubspot, capsys, contact_properties=["firstname"])

    assert not run.failure
    assert not run.records()
    state = [message["value"] for message in run.messages if message["type"] == "STATE"][-1]
    assert "replication_key_value" not in state["bookmarks"].get("email_sent", {})
