"""One run in a hostile world: every kind of faulty answer, and a process that is killed.

CHAOS_EVENTS=200000 makes it the size of the closing figures; CHAOS_KILLS and CHAOS_SEED vary it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from loading.loader import COMMAND
from loading.messages import record, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

EVENTS = int(os.environ.get("CHAOS_EVENTS", "4000"))
KILLS = int(os.environ.get("CHAOS_KILLS", "2" if EVENTS < 100_000 else "3"))
SEED = int(os.environ.get("CHAOS_SEED", "20"))
ROWS = min(200, max(20, EVENTS // 100))
SHARE = 0.05
PATIENCE = 60 + EVENTS / 500

FAULTS: list[dict[str, Any]] = [
    {"action": "answer", "status": 500},
    {"action": "answer", "status": 503, "headers": {"Retry-After": "0"}},
    {"action": "answer", "status": 413, "json": {"code": 413, "error": "Payload too large"}},
    {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}},
    {"action": "answer", "status": 408},
    {"action": "answer", "status": 403, "json": {"code": 403, "error": "Forbidden"}, "times": 2},
    {"action": "answer", "status": 200, "body": ""},
    {"action": "accept_then_answer", "status": 502},
    {"action": "accept_then_cut"},
    {"action": "html"},
    {"action": "cut"},
    {"action": "half_body"},
    {"action": "ingest_fewer"},
    {"action": "answer", "status": 400, "json": {"code": 400, "error": "Invalid event JSON"}}
    | {"times": 2},
    {"action": "answer", "status": 400}
    | {"json": {"code": 400, "events_with_invalid_fields": {"time": [0, 2], "insert_id": [2]}}},
    {"action": "answer", "status": 400}
    | {"json": {"code": 400, "events_with_missing_fields": {"event_type": [1]}}},
    {"action": "answer", "status": 400}
    | {"json": {"code": 400, "events_with_invalid_id_lengths": {"user_id": [0]}}},
    {"action": "answer", "status": 400}
    | {"json": {"code": 400, "error": "Events silenced for device_id", "silenced_events": [1]}},
    {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}}
    | {"json": {"code": 429, "eps_threshold": 1000, "throttled_events": [0, 1, 2]}},
]


def test_nothing_is_lost_or_doubled(sandbox: Sandbox, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    left = 1.0
    for fault in FAULTS:
        share = SHARE / len(FAULTS) / left
        left -= SHARE / len(FAULTS)
        sandbox.add_fault("amplitude", probability=share, **fault)
    config = tmp_path / "config.json"
    settings = {
        "api_key": "sandbox-api-key",
        "api_url": sandbox.amplitude_url,
        "rejected_path": str(tmp_path / "rejected.jsonl"),
        "batch_size_rows": ROWS,
    }
    config.write_text(json.dumps(settings))
    done = 0
    endings = sorted(chance.randrange(EVENTS // 20, EVENTS - EVENTS // 20) for _ in range(KILLS))
    codes = []
    for ending in [*endings, None]:
        source = tmp_path / "source.jsonl"
        _write_source(source, done)
        with source.open() as lines, (tmp_path / "states").open("w+") as states:
            process = subprocess.Popen(
                [COMMAND, "--config", str(config)],
                stdin=lines,
                stdout=states,
                stderr=subprocess.DEVNULL,
            )
            _wait(sandbox, process, ending)
            if ending is not None:
                process.kill()
            codes.append(process.wait(PATIENCE))
            states.seek(0)
            numbers = [json.loads(s)["bookmarks"]["email_open"]["number"] for s in states]
        done = max([done, *numbers])
        arrived = _arrived(sandbox)
        assert set(range(1, done + 1)) <= arrived | _rejected(tmp_path), "covered, but nowhere"
    rejected = len(_rejected(tmp_path))
    lost_before = set(range(1, EVENTS + 1)) - _arrived(sandbox) - _rejected(tmp_path)
    faults = sandbox.faults_met()
    sandbox.clear_faults()
    if rejected:
        _replay(settings, tmp_path)
    numbers_arrived = [_number(event) for event in sandbox.amplitude_events()]
    doubled = len(numbers_arrived) - len(set(numbers_arrived))
    lost = lost_before | (set(range(1, EVENTS + 1)) - set(numbers_arrived))
    print(  # noqa: T201 - the figures of the run
        f"{EVENTS} events, {faults} faults met, {KILLS} kills: {len(numbers_arrived)} arrived, "
        f"{rejected} of them by replay of the rejects, {len(lost)} lost, {doubled} doubled",
    )
    assert codes == [-signal.SIGKILL] * KILLS + [0]
    assert done == EVENTS
    assert not lost
    assert not doubled


def _write_source(source: Path, done: int) -> None:
    with source.open("w") as file:
        file.write(json.dumps(schema()) + "\n")
        for number in range(done + 1, EVENTS + 1):
            user = f"user-{number % (EVENTS // 4)}@example.com"
            file.write(json.dumps(record(number, recipient=user)) + "\n")
            if number % ROWS == 0 or number == EVENTS:
                file.write(json.dumps(state(number)) + "\n")


def _replay(settings: dict[str, Any], folder: Path) -> None:
    config = folder / "replay.json"
    config.write_text(json.dumps(settings | {"rejected_path": str(folder / "refused-again")}))
    with (folder / "rejected.jsonl").open() as lines:
        subprocess.run(
            [COMMAND, "--config", str(config)],
            stdin=lines,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )


def _wait(sandbox: Sandbox, process: subprocess.Popen[bytes], ending: int | None) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        if ending is not None and sum(sandbox.amplitude_counts().values()) >= ending:
            return
        time.sleep(0.01)


def _number(event: dict[str, Any]) -> int:
    return int(event["event_properties"]["id"].removeprefix("event-"))


def _arrived(sandbox: Sandbox) -> set[int]:
    return {_number(event) for event in sandbox.amplitude_events()}


def _rejected(folder: Path) -> set[int]:
    path = folder / "rejected.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {
        int(line["record"]["id"].removeprefix("event-"))
        for line in lines
        if line["type"] == "RECORD"
    }
