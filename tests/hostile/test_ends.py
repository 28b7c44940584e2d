"""Standard streams that are closed or full, too many descriptors, too little memory: a sentence."""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hostile.runner import MAPPER, MB, SETTINGS, TAP, TARGET, Outcome, run, settings_of
from loading.messages import run_of

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.jsonl").write_text('{"started": "2026-01-01T00:00:00Z", "exit_code": 0}\n')
    return tmp_path


@pytest.fixture
def started(sandbox: Sandbox, folder: Path) -> Any:
    opened = {"id": "e", "created": 1, "type": "OPEN", "portalId": 4711}
    sandbox.add_events([opened | {"recipient": "a@example.com"}])
    messages = "".join(f"{json.dumps(message)}\n" for message in run_of(20)).encode()

    def start(command: str, *arguments: str, **odd: Any) -> Outcome:
        url = sandbox.hubspot_url if command.startswith(TAP) else sandbox.amplitude_url
        config = settings_of(command) | odd.pop("settings", {})
        config |= {} if command == MAPPER else {"api_url": url}
        stdin = messages if command in {TARGET, MAPPER} else b""
        return run(command, *arguments, folder=folder, config=config, stdin=stdin, **odd)

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
    (MAPPER,),
    (f"{TAP}-check",),
    (f"{TARGET}-check",),
    (f"{TARGET}-jobs", "jobs.jsonl"),
    (f"{TARGET}-jobs", "jobs.jsonl", "--json"),
    (f"{TARGET}-taxonomy", "--csv", "plan.csv"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_cannot_be_printed_is_said(started: Any, command: tuple[str, ...]) -> None:
    started(*command, closed=[1]).assert_said("Standard output is closed")
    started(*command, full=[1]).assert_said("No space left on device")


def test_no_event_is_sent_whose_state_could_not_be_written(started: Any, sandbox: Sandbox) -> None:
    started(TARGET, closed=[1])
    assert sandbox.amplitude_counts() == {}


@pytest.mark.parametrize("command", [TARGET, MAPPER])
def test_no_input_is_said(started: Any, command: str) -> None:
    started(command, closed=[0]).assert_said("Standard input is closed")


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
@pytest.mark.parametrize("command", SETTINGS)
def test_descriptors_above_a_thousand_are_used_like_others(started: Any, command: str) -> None:
    ended = started(command, descriptors=1100)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("plugin", [TAP, TARGET])
@pytest.mark.parametrize("memory", [1, 60, 300])
def test_too_little_memory_is_said(started: Any, plugin: str, memory: int) -> None:
    own = {} if plugin == TAP else {"batch_size_rows": 1}
    settings = {"max_concurrent_requests": 64} | own
    started(plugin, settings=settings, memory=memory * MB).assert_said("no more memory")


def test_a_full_disk_of_the_job_log_is_said(started: Any, folder: Path) -> None:
    (folder / "full").touch()
    os.truncate(folder / "full", 5 * MB)
    ended = started(TARGET, settings={"job_log_path": "full"}, file=5 * MB)
    assert "Traceback" not in ended.err
    assert "File too large" in ended.err
