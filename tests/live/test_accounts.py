"""What holds of the sandbox, tried on live accounts by `make live`.

At HubSpot everything reads only. Amplitude gets three events of nobody, and only where the project
is said to be a test project.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from live.accounts import IS_LIVE, MAY_SEND, TAP, TARGET, WAIT, Accounts
from loading.messages import record, schema
from sandbox.client import Sandbox
from tap_hubspot_email_events.check.assumptions import ASSUMPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORTS = Path(__file__).parents[2] / "output" / "live"
NOBODY = "nobody@hubspot-check.invalid"


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    folder = tmp_path_factory.mktemp("live")
    if IS_LIVE:
        yield Accounts(folder)
        return
    with Sandbox(seed=11) as sandbox:
        sandbox.generate(events=7_000, days=60)
        yield Accounts(
            folder,
            {
                f"{TAP}_API_URL": sandbox.hubspot_url,
                f"{TAP}_CLIENT_ID": "sandbox-client",
                f"{TAP}_CLIENT_SECRET": "sandbox-client-secret",
                f"{TAP}_REFRESH_TOKEN": "sandbox-refresh-token",
                f"{TAP}_CONTACT_PROPERTIES": "product_user_id",
                f"{TARGET}_API_URL": sandbox.amplitude_url,
                f"{TARGET}_API_KEY": "sandbox-api-key",
                f"{TARGET}_SECRET_KEY": "sandbox-secret-key",
            },
        )


def report(accounts: Accounts, plugin: str, *options: str) -> dict[str, Any]:
    """What a plugin's check prints, kept as a file where it is about live accounts."""
    text = accounts.run(f"{plugin}-check", "--json", *options)
    if IS_LIVE:
        REPORTS.mkdir(parents=True, exist_ok=True)
        (REPORTS / f"{plugin}.json").write_text(text, encoding="utf-8")
    said: dict[str, Any] = json.loads(text)
    return said


@pytest.fixture(scope="session")
def hubspot(accounts: Accounts) -> dict[str, Any]:
    return report(accounts, "tap-hubspot-email-events", "--assumptions", "--wait", WAIT)


@pytest.fixture(scope="session")
def messages(accounts: Accounts) -> list[dict[str, Any]]:
    """Two days of HubSpot's events, long closed."""
    return read(accounts)


def read(accounts: Accounts) -> list[dict[str, Any]]:
    end = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    window = {
        "TAP_HUBSPOT_EMAIL_EVENTS_START_DATE": (end - timedelta(days=2)).isoformat(),
        "TAP_HUBSPOT_EMAIL_EVENTS_END_DATE": end.isoformat(),
    }
    output = accounts.run("tap-hubspot-email-events", "--config", "ENV", **window)
    return [json.loads(line) for line in output.splitlines()]


def keys(messages: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (each["stream"], each["record"]["created"], each["record"]["id"])
        for each in messages
        if each["type"] == "RECORD"
    ]


def test_the_account_can_be_read(hubspot: dict[str, Any]) -> None:
    assert [each for each in hubspot["checks"] if each["result"] == "failed"] == []
    assert hubspot["requests"] <= 200


@pytest.mark.parametrize("name", [each.__name__ for each in ASSUMPTIONS])
def test_an_assumption_holds(hubspot: dict[str, Any], name: str) -> None:
    (found,) = (each for each in hubspot["assumptions"] if each["name"] == name)
    if IS_LIVE and found["result"] == "unknown":
        pytest.skip(found["seen"])
    assert found["result"] == "assumed", found["seen"]


def test_a_closed_window_reads_the_same_twice_and_no_event_comes_twice(
    accounts: Accounts, messages: list[dict[str, Any]]
) -> None:
    first = keys(messages)
    assert len(first) == len(set(first))
    assert sorted(keys(read(accounts))) == sorted(first)
    assert first or IS_LIVE


def test_every_record_satisfies_its_schema(messages: list[dict[str, Any]]) -> None:
    schemas = {each["stream"]: each["schema"] for each in messages if each["type"] == "SCHEMA"}
    validators = {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas.items()}
    for each in messages:
        if each["type"] == "RECORD":
            problems = [
                error.json_path for error in validators[each["stream"]].iter_errors(each["record"])
            ]
            assert problems == []


def test_the_project_can_be_reached(accounts: Accounts) -> None:
    found = report(accounts, "target-amplitude")
    assert [each for each in found["checks"] if each["result"] == "failed"] == []


@pytest.mark.skipif(not MAY_SEND, reason="LIVE_AMPLITUDE_TEST_PROJECT=1 lets it send three events")
def test_amplitude_takes_events_and_takes_them_again(accounts: Accounts) -> None:
    created = datetime.now(timezone.utc) - timedelta(hours=1)
    fields: dict[str, Any] = {
        "created": created.isoformat(),
        "portalId": 1,
        "recipient": NOBODY,
    }
    ids = [f"live-{created:%Y%m%d%H%M%S}-{number}" for number in range(3)]
    lines = [schema(), *(record(id=each, **fields) for each in ids)]
    lines.append({"type": "STATE", "value": {"delivered": 3}})
    given = "".join(json.dumps(line) + "\n" for line in lines)
    prefix = {f"{TARGET}_EVENT_TYPE_PREFIX": "[Check] "}
    for _ in range(2):
        output = accounts.run("target-amplitude", "--config", "ENV", given=given, **prefix)
        assert json.loads(output.splitlines()[-1]) == {"delivered": 3}
    rejected = accounts.folder / "output" / "rejected.singer.jsonl"
    assert not rejected.exists() or not rejected.read_text()
