"""Standard streams that are closed or full, too many descriptors, too little memory: a sentence."""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hostile.runner import MB, Outcome, run
from loading.messages import run_of

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

CLOSED = "Standard output is closed"
FULL = "No space left on device"
MEMORY = "no more memory"
TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"
PORTAL = 4711


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.jsonl").write_text('{"started": "2026-01-01T00:00:00Z", "exit_code": 0}\n')
    return tmp_path


@pytest.fixture
def started(sandbox: Sandbox, folder: Path) -> Any:
    sandbox.add_events(
        [
            {
                "id": "e",
                "created": 1,
                "type": "OPEN",
                "portalId": PORTAL,
                "recipient": "a@example.com",
            }
        ]
    )
    config: dict[str, dict[str, Any]] = {
        TAP: {"access_token": "sandbox-access-token", "api_url": sandbox.hubspot_url},
        TARGET: {
            "api_key": "sandbox-api-key",
            "api_url": sandbox.amplitude_url,
            "rejected_path": "rejected.jsonl",
            "job_log_path": "jobs.jsonl",
        },
        "mapper-email-events": {"transforms": ["drop-bots"]},
    }
    messages = "".join(f"{json.dumps(message)}\n" for message in run_of(20)).encode()

    def start(command: str, *arguments: str, settings: Any = None, **odd: Any) -> Outcome:
        plugin = TAP if command.startswith(TAP) else TARGET if "amplitude" in command else command
        own = config[plugin] | (settings or {})
        stdin = messages if command in (TARGET, "mapper-email-events") else b""
        return run(command, *arguments, folder=folder, config=own, stdin=stdin, **odd)

    return start


COMMANDS: tuple[tuple[str, ...], ...] = (
    (TAP,),
    (TAP, "--discover"),
    (TAP, "--about"),
    (TARGET,),
    (TARGET, "--preview"),
    (TARGET, "--about"),
    (TARGET, "--version"),
    (TARGET, "--help"),
    ("mapper-email-events",),
    (f"{TAP}-check",),
    (f"{TARGET}-check",),
    (f"{TARGET}-jobs", "jobs.jsonl"),
    (f"{TARGET}-jobs", "jobs.jsonl", "--json"),
    (f"{TARGET}-taxonomy", "--csv", "plan.csv"),
)


def is_sentence(ended: Outcome, words: str) -> None:
    assert ended.code == 1, ended.err
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert "Exception ignored" not in ended.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_cannot_be_printed_is_said(started: Any, command: tuple[str, ...]) -> None:
    is_sentence(started(*command, closed=[1]), CLOSED)
    is_sentence(started(*command, full=[1]), FULL)


def test_no_event_is_sent_whose_state_could_not_be_written(started: Any, sandbox: Sandbox) -> None:
    started(TARGET, closed=[1])
    assert sandbox.amplitude_counts() == {}


@pytest.mark.parametrize("command", [TARGET, "mapper-email-events"])
def test_no_input_is_said(started: Any, command: str) -> None:
    is_sentence(started(command, closed=[0]), "Standard input is closed")


@pytest.mark.parametrize("stream", ["closed", "full"])
def test_what_cannot_be_logged_changes_no_outcome(
    started: Any, sandbox: Sandbox, folder: Path, stream: str
) -> None:
    ended = started(TARGET, **{stream: [2]})
    assert ended.code == 0
    assert '"bookmarks"' in ended.out
    assert sum(sandbox.amplitude_counts().values()) == 20
    # Nothing of the log is in a file that would have got its descriptor.
    assert (folder / "rejected.jsonl").read_bytes() == b""
    assert started(TAP, **{stream: [2]}).code == 0
    assert started(f"{TARGET}-jobs", "nowhere", **{stream: [2]}).code == 1


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1300, reason="needs 1,300 descriptors"
)
@pytest.mark.parametrize("command", [TAP, TARGET, "mapper-email-events"])
def test_descriptors_above_a_thousand_are_used_like_others(started: Any, command: str) -> None:
    ended = started(command, descriptors=1100)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("plugin", [TAP, TARGET])
@pytest.mark.parametrize("memory", [1, 60, 300])
def test_too_little_memory_is_said(started: Any, plugin: str, memory: int) -> None:
    own = {"enrich_campaigns": False} if plugin == TAP else {"batch_size_rows": 1}
    settings = {"max_concurrent_requests": 64} | own
    ended = started(plugin, settings=settings, memory=memory * MB)
    is_sentence(ended, MEMORY)


@pytest.mark.parametrize("setting", ["rejected_path", "job_log_path"])
def test_a_full_disk_is_said(started: Any, folder: Path, setting: str) -> None:
    (folder / "full").touch()
    os.truncate(folder / "full", 5 * MB)
    settings = {setting: "full", "min_id_length": 30, "max_rejected_percent": 100}
    ended = started(TARGET, settings=settings, file=5 * MB)
    assert "Traceback" not in ended.err
    assert "File too large" in ended.err
    if setting == "rejected_path":
        assert ended.code == 1
        assert ended.out == ""
