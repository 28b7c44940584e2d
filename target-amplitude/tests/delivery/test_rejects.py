from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import OPEN, email, record, run_of, schema, state
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


def with_bad_users(count: int, *bad: int) -> list[dict[str, Any]]:
    messages = run_of(count)
    for number in bad:
        messages[number]["record"]["recipient"] = "unknown"
    return messages


def test_rejects_say_why_and_when_and_belong_to_their_owner(loader: Loader) -> None:
    loader.load(with_bad_users(20, 4, 9))
    assert stat.S_IMODE(loader.rejected_path.stat().st_mode) == 0o600
    assert [message["type"] for message in loader.rejects] == ["SCHEMA", "RECORD", "RECORD"]
    rejected = loader.rejected_records[0]
    assert rejected["record"] == email(4, recipient="unknown")
    assert rejected["rejected"]["reason"] == "invalid id"
    assert rejected["rejected"]["detail"].startswith("recipient is one of")
    assert rejected["rejected"]["at"].endswith("Z")


def test_corrected_rejects_are_delivered(sandbox: Sandbox, loader: Loader, tmp_path: Path) -> None:
    loader.load(with_bad_users(20, 4, 9))
    corrected = tmp_path / "corrected.jsonl"
    corrected.write_text(
        loader.rejected_path.read_text().replace("unknown", "corrected@example.com")
    )
    assert loader.load_text(corrected) == []
    assert sandbox.amplitude_counts() == {OPEN: 20}
    assert len(loader.rejected_records) == 2


def test_the_rejects_file_can_be_its_own_input(sandbox: Sandbox, loader: Loader) -> None:
    loader.load(with_bad_users(20, 4, 9))
    text = loader.rejected_path.read_text()
    loader.rejected_path.write_text(text.replace("unknown", "corrected@example.com", 1))
    loader.load_text(loader.rejected_path)
    assert sandbox.amplitude_counts() == {OPEN: 19}
    assert len(loader.rejected_records) == 2


def test_refused_again_the_reason_is_the_newest(loader: Loader, tmp_path: Path) -> None:
    loader.load(with_bad_users(20, 4))
    copy = tmp_path / "copy.jsonl"
    copy.write_text(loader.rejected_path.read_text().replace("unknown", "x"))
    with pytest.raises(RunFailedError, match="None of 1 email events was delivered"):
        loader.load_text(copy)
    first, second = loader.rejected_records
    assert first["rejected"]["run"] != second["rejected"]["run"]
    assert second["rejected"]["detail"] == "recipient is shorter than 5 characters"
    assert second["record"]["recipient"] == "x"


def test_an_unwritable_path_stops_the_run_before_anything_is_sent(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFailedError, match="rejected_path"):
        loader.load(run_of(5), rejected_path=str(tmp_path / "file" / "rejects.jsonl"))
    assert sandbox.amplitude_stats()["requests"] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("bad", [5, 95])
def test_a_full_disk_fails_the_run_before_the_state_moves(loader: Loader, bad: int) -> None:
    messages = run_of(100, state_every=10)
    messages[bad + bad // 10]["record"]["recipient"] = "unknown"
    reached = messages[bad + bad // 10]["record"]["id"]
    with pytest.raises(RunFailedError, match="No space left"):
        loader.load(messages, rejected_path="/dev/full")
    assert reached.startswith("event-")
    for value in loader.states:
        assert value["bookmarks"]["email_open"]["number"] <= bad


def test_a_full_disk_fails_the_run_when_amplitude_refuses(sandbox: Sandbox, loader: Loader) -> None:
    body = {"code": 400, "events_with_invalid_fields": {"time": [0]}}
    sandbox.add_fault("amplitude", action="answer", status=400, json=body)
    with pytest.raises(RunFailedError, match="No space left"):
        loader.load(run_of(50), rejected_path="/dev/full")
    assert loader.states == []


def test_numbers_that_json_cannot_carry_are_kept_as_they_came(
    sandbox: Sandbox, loader: Loader
) -> None:
    line = json.dumps(record(2, weight=float("nan")))
    loader.load([schema(), record(1), line, record(3), state(3)])
    assert sandbox.amplitude_counts() == {OPEN: 2}
    (rejected,) = loader.rejected_records
    assert rejected["rejected"]["reason"] == "invalid value"
    assert len(loader.states) == 1


def test_an_unbounce_which_never_has_a_user_is_rejected_uncounted(
    sandbox: Sandbox, loader: Loader
) -> None:
    unbounce = email(1, type="UNBOUNCE")
    del unbounce["recipient"]
    message = {"type": "RECORD", "stream": "email_unbounce", "record": unbounce}
    loader.load([schema("email_unbounce"), message, state(1)], max_rejected_percent=0)
    assert sandbox.amplitude_stats()["requests"] == 0
    assert [r["rejected"]["reason"] for r in loader.rejected_records] == ["no user"]
    assert len(loader.states) == 1
