"""singer-io's tap-hubspot into our target makes the same events as our tap."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interoperability.environment import BENCH, OURS, run

if TYPE_CHECKING:
    from sandbox.client import Sandbox

START = "2020-01-01T00:00:00Z"
OTHER_TAP = Path(__file__).parents[1] / "bench/singer_io_tap.py"


def identities(events: list[dict[str, Any]]) -> set[tuple[str, str, int, str]]:
    return {
        (event["insert_id"], event["event_type"], event["time"], event["user_id"])
        for event in events
    }


def test_both_taps_give_the_same_events_the_same_insert_ids(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.generate(events=2_000, days=20)
    target = {
        "api_url": sandbox.amplitude_url,
        "api_key": "sandbox-api-key",
        "rejected_path": str(tmp_path / "rejected.jsonl"),
    }
    tap = {
        "api_url": sandbox.hubspot_url,
        "access_token": "sandbox-access-token",
        "start_date": START,
    }
    ours = run(OURS / "tap-hubspot-email-events", tap, tmp_path)
    run(OURS / "target-amplitude", target, tmp_path, given=ours)
    by_ours = identities(sandbox.amplitude_events())
    sandbox.forget_amplitude()

    theirs = subprocess.run(
        [str(BENCH / "python"), str(OTHER_TAP), sandbox.hubspot_url, START],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    ).stdout.splitlines()
    run(OURS / "target-amplitude", target, tmp_path, given=theirs)
    by_theirs = identities(sandbox.amplitude_events())

    assert len(by_ours) > 1_500
    # Theirs reads every type, ours the ten that are selected by default.
    names = {name for _, name, _, _ in by_ours}
    assert {each for each in by_theirs if each[1] in names} == by_ours
