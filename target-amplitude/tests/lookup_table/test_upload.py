from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from forked import Forked
from loading.messages import OPEN, numbers, record, schema, state
from target_amplitude.errors import RunFailedError
from target_amplitude.lookup_table.campaigns import is_campaign

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox

SECRET = "sandbox-secret-key"
PATH = "/api/3/lookup_table"
TABLE = "hubspot_email_campaigns"


def campaign(number: int, stream: str = "email_campaigns", **fields: Any) -> dict[str, Any]:
    content = {
        "portalId": 4711,
        "id": number,
        "name": f"Newsletter {number}",
        "subject": 'Été, "so far"\nand more',
        "type": "BATCH_EMAIL",
        "contentId": 100 + number,
        "counters": {"sent": 3},
    }
    return {"type": "RECORD", "stream": stream, "record": content | fields}


def a_run(*campaigns: dict[str, Any]) -> list[dict[str, Any]]:
    """Campaigns, then an event, with a state after each of the two streams."""
    return [
        schema("email_campaigns"),
        *campaigns,
        state(1),
        schema("email_open"),
        record(1),
        state(2),
    ]


def test_campaigns_become_a_lookup_table_on_the_campaign_id(
    sandbox: Sandbox, loader: Loader
) -> None:
    states = loader.load(
        a_run(campaign(1), campaign(2), campaign(1, name="Other")), secret_key=SECRET
    )
    assert numbers(states)[-1] == 2
    table = sandbox.lookup_tables()[TABLE]
    assert table["key"] == "emailCampaignId"
    assert table["property"]["value"] == "emailCampaignId"
    assert table["property"]["type"] == "event"
    rows = {row["emailCampaignId"]: row for row in table["rows"]}
    assert set(rows) == {"1", "2"}
    assert rows["1"]["campaign.name"] == "Other"
    assert rows["2"]["campaign.subject"] == 'Été, "so far" and more'
    assert rows["2"]["campaign.contentId"] == "102"
    counts = loader.streams["email_campaigns"]
    assert (counts["read"], counts["delivered"], counts["requests"]) == (3, 3, 1)
    assert counts["bytes"] > 0
    assert loader.rejects == []


def test_campaigns_are_known_by_their_fields_in_another_taps_stream(
    sandbox: Sandbox, loader: Loader
) -> None:
    loader.load(
        [schema("campaigns"), campaign(7, "campaigns"), schema("deals"), campaign(8, "deals")],
        secret_key=SECRET,
    )
    assert len(sandbox.lookup_tables()[TABLE]["rows"]) == 2
    assert not is_campaign("deals", {"id": 1, "name": "Big deal", "type": "new"})
    assert not is_campaign("email_campaigns", {"name": "No id"})


def test_without_a_secret_key_campaigns_are_rejected_and_can_be_loaded_later(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    states = loader.load(a_run(campaign(1), campaign(2)), max_rejected_percent=0)
    assert numbers(states)[-1] == 2
    assert sandbox.lookup_tables() == {}
    assert loader.streams["email_campaigns"]["rejected"] == {"no secret_key": 2}
    assert "secret_key" in loader.rejected_records[0]["rejected"]["detail"]
    assert sum("only with secret_key" in message for message in caplog.messages) == 1
    loader.load_text(loader.rejected_path.read_text(), secret_key=SECRET)
    assert len(sandbox.lookup_tables()[TABLE]["rows"]) == 2


@pytest.mark.parametrize("status", [400, 403, 409, 413])
def test_a_refused_table_is_rejected_and_costs_no_event(
    sandbox: Sandbox, loader: Loader, status: int
) -> None:
    message = f"No lookup tables for sandbox-api-key:{SECRET}"
    sandbox.add_fault(
        "amplitude", action="answer", path=PATH, status=status, json={"error": message}
    )
    states = loader.load(a_run(campaign(1)), secret_key=SECRET, max_rejected_percent=0)
    assert numbers(states)[-1] == 2
    assert sandbox.amplitude_counts() == {OPEN: 1}
    assert loader.streams["email_campaigns"]["rejected"] == {"lookup table refused": 1}
    kept = loader.rejected_records[0]
    assert kept["record"]["name"] == "Newsletter 1"
    assert kept["rejected"]["detail"] == f"status {status}"
    assert kept["rejected"]["amplitude"] == "No lookup tables for <key>:<key>"


@pytest.mark.parametrize("status", [400, 409])
def test_a_table_that_exists_is_updated(sandbox: Sandbox, loader: Loader, status: int) -> None:
    taken = {"error": "The name is taken"}
    sandbox.add_fault("amplitude", action="answer", path=PATH, status=status, json=taken, times=1)
    sandbox.add_fault(
        "amplitude", action="answer", path=f"{PATH}/{TABLE}", status=200, json={"name": TABLE}
    )
    loader.load(a_run(campaign(1)), secret_key=SECRET)
    assert loader.streams["email_campaigns"]["delivered"] == 1


def test_keys_that_amplitude_does_not_know_fail_the_run_without_the_state(
    sandbox: Sandbox, loader: Loader
) -> None:
    with pytest.raises(RunFailedError, match="check secret_key, and region"):
        loader.load(a_run(campaign(1)), secret_key="wrong-secret")
    assert loader.states == []
    assert sandbox.amplitude_counts() == {OPEN: 1}
    assert loader.streams["email_campaigns"]["not_covered"] == 1


def test_an_upload_that_never_succeeds_fails_the_run_without_the_state(
    sandbox: Sandbox, loader: Loader
) -> None:
    sandbox.add_fault("amplitude", action="answer", path=PATH, status=503)
    with pytest.raises(RunFailedError, match="after 2 retries"):
        loader.load(a_run(campaign(1)), secret_key=SECRET, max_retries=2)
    assert loader.states == []
    assert sandbox.faults_met() == 6


def test_states_go_on_once_the_stream_of_campaigns_is_over(
    sandbox: Sandbox, loader: Loader
) -> None:
    sandbox.add_fault("amplitude", action="answer", path=PATH, status=503, skip=1)
    with pytest.raises(RunFailedError):
        loader.load([*a_run(campaign(1)), campaign(2), state(3)], secret_key=SECRET, max_retries=0)
    assert numbers(loader.states)[-1] == 2
    assert loader.streams["email_campaigns"]["not_covered"] == 1


def test_campaigns_that_come_late_do_not_cost_the_earlier_ones(
    sandbox: Sandbox, loader: Loader
) -> None:
    loader.load([*a_run(campaign(1)), campaign(2), state(3)], secret_key=SECRET)
    assert len(sandbox.lookup_tables()[TABLE]["rows"]) == 2
    assert loader.streams["email_campaigns"]["requests"] == 2


def test_a_dry_run_uploads_nothing(sandbox: Sandbox, loader: Loader) -> None:
    states = loader.load(a_run(campaign(1)), secret_key=SECRET, dry_run=True)
    assert states == []
    assert sandbox.lookup_tables() == {}
    assert loader.streams["email_campaigns"]["delivered"] == 1


def test_sigterm_ends_an_upload_that_is_not_answered_without_its_state(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    sandbox.add_fault("amplitude", action="answer", path=PATH, status=503)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(loader.config | {"secret_key": SECRET}))
    stdin = "".join(f"{json.dumps(message)}\n" for message in a_run(campaign(1))).encode()
    with Forked("target-amplitude", "--config", str(config), stdin=stdin) as process:
        until = time.monotonic() + 30
        while sandbox.faults_met() == 0 and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert out == b""
    assert SECRET.encode() not in log
    assert sandbox.amplitude_counts() in ({}, {OPEN: 1})
