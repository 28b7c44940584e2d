"""What stands in the rejects file, when it is on the disk, and how it is loaded again."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from loading.messages import OPEN, email, record, run_of, schema, state
from target_amplitude.delivery.block import Reject
from target_amplitude.delivery.rejects import RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history.counts import StreamCounts

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


def with_bad_users(count: int, *bad: int) -> list[dict[str, Any]]:
    messages = run_of(count)
    for number in bad:
        messages[number]["record"]["recipient"] = "unknown"
    return messages


def test_rejects_say_why(loader: Loader) -> None:
    loader.load(with_bad_users(20, 4, 9))
    assert [message["type"] for message in loader.rejects] == ["SCHEMA", "RECORD", "RECORD"]
    rejected = loader.rejected_records[0]
    assert rejected["record"] == email(4, recipient="unknown")
    assert rejected["rejected"]["reason"] == "invalid id"
    assert rejected["rejected"]["detail"].startswith("recipient is one of")


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
    # What is refused again stays where it is, and is counted.
    assert len(loader.rejected_records) == 2
    assert loader.streams["email_open"]["rejected"] == {"invalid id": 1}


@pytest.mark.parametrize("is_found_by_amplitude", [True, False])
def test_a_full_disk_fails_the_run_before_the_state_moves(
    sandbox: Sandbox, loader: Loader, full_file: str, *, is_found_by_amplitude: bool
) -> None:
    messages = run_of(100, state_every=10)
    assert messages[54]["record"]["id"] == "event-50"
    if is_found_by_amplitude:
        sandbox.set_amplitude(forbidden=["drop table"])
        messages[54]["record"]["subject"] = "drop table users"
    else:
        messages[54]["record"]["recipient"] = "unknown"
    with pytest.raises(RunFailedError, match="File too large"):
        loader.load(messages, rejected_path=full_file)
    assert all(value["bookmarks"]["email_open"]["number"] < 50 for value in loader.states)


def test_numbers_that_json_cannot_carry_are_kept_as_they_came(
    sandbox: Sandbox, loader: Loader
) -> None:
    line = json.dumps(record(2, weight=float("nan")))
    loader.load([schema(), record(1), line, record(3), state(3)])
    assert sandbox.amplitude_counts() == {OPEN: 2}
    (rejected,) = loader.rejected_records
    assert rejected["rejected"]["reason"] == "invalid value"
    assert len(loader.states) == 1


def line_of(stream: str = "email_open", **record: Any) -> bytes:
    return json.dumps({"type": "RECORD", "stream": stream, "record": record}).encode()


def schema_of(stream: str, version: int = 1) -> bytes:
    return json.dumps({"type": "SCHEMA", "stream": stream, "version": version}).encode()


def lines(path: Path) -> list[dict[str, Any]]:
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a" / "b" / "rejects.jsonl"


@pytest.fixture
def file(path: Path) -> RejectsFile:
    return RejectsFile(path)


def test_a_record_stands_there_as_it_came_with_the_reason_beside_it(
    file: RejectsFile, path: Path
) -> None:
    before = datetime.now(timezone.utc)
    file.write([Reject(line_of(id="a"), "invalid id", "too short", "Amplitude says no")])
    (message,) = lines(path)
    why = message.pop("rejected")
    assert message == {"type": "RECORD", "stream": "email_open", "record": {"id": "a"}}
    run, at = why.pop("run"), why.pop("at")
    assert why == {"reason": "invalid id", "detail": "too short", "amplitude": "Amplitude says no"}
    assert len(run) == 32
    assert at[-5] == "."
    assert at[-1] == "Z"
    assert abs(datetime.fromisoformat(at[:-1] + "+00:00") - before).total_seconds() < 60


def test_a_schema_comes_before_the_first_record_that_it_describes(
    file: RejectsFile, path: Path
) -> None:
    file.add_schemas({each: schema_of(each) for each in ("email_open", "email_click")})
    file.write([Reject(line_of(id="a"), "x"), Reject(line_of("email_click", id="b"), "x")])
    file.write([Reject(line_of(id="c"), "x"), Reject(line_of("email_sent", id="d"), "x")])
    file.add_schemas({"email_open": schema_of("email_open", 2)})
    file.write([Reject(line_of(id="e"), "x")])
    written = [(each["type"], each["stream"], each.get("version")) for each in lines(path)]
    assert written == [
        ("SCHEMA", "email_open", 1),
        ("RECORD", "email_open", None),
        ("SCHEMA", "email_click", 1),
        ("RECORD", "email_click", None),
        ("RECORD", "email_open", None),
        ("RECORD", "email_sent", None),
        ("SCHEMA", "email_open", 2),
        ("RECORD", "email_open", None),
    ]


def test_nothing_is_counted_that_could_not_be_written(
    file: RejectsFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", is_full)
    counts = StreamCounts("email_open", 0.0)
    with pytest.raises(RunFailedError) as caught:
        file.write([Reject(line_of(id="a"), "no user", counts=counts)])
    assert str(caught.value) == (
        f"Records cannot be kept in rejected_path {path}: No space left on device; make room or "
        "name another path. No state covers them."
    )
    assert counts.rejected == {}


def test_what_was_written_is_synced_once_and_until_it_is(
    file: RejectsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [OSError(5, "Input/output error"), None]

    def fsync(_: int) -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(os, "fsync", fsync)
    file.sync()
    file.write([])
    file.sync()
    file.write([Reject(line_of(id="a"), "x")])
    with pytest.raises(RunFailedError, match="Input/output error"):
        file.sync()
    file.sync()
    file.sync()
    assert outcomes == []


def test_a_device_is_neither_synced_nor_an_input_of_its_own_and_keeps_its_mode() -> None:
    device = Path("/dev/null")
    before = device.stat().st_mode
    file = RejectsFile(device)
    file.write([Reject(line_of(id="a"), "x")])
    file.sync()
    with device.open("rb") as source:
        assert file.detect_input(source.fileno()) is None
    assert not file.is_input
    file.close()
    assert device.stat().st_mode == before


def test_it_is_known_as_input_and_read_only_as_far_as_it_goes(
    file: RejectsFile, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").write_bytes(b"x")
    with (tmp_path / "other").open("rb") as source:
        assert file.detect_input(source.fileno()) is None
    assert not file.is_input
    file.write([Reject(line_of(id="a"), "x")])
    with path.open("rb") as source:
        source.seek(5)
        assert file.detect_input(source.fileno()) == path.stat().st_size - 5
    assert file.is_input


def test_what_this_run_has_written_it_knows(file: RejectsFile, path: Path) -> None:
    file.write([Reject(line_of(id="a"), "x")])
    rejected = json.dumps(lines(path)[0]["rejected"]).encode()
    assert file.has_written(msgspec.Raw(rejected))
    assert not RejectsFile(path).has_written(msgspec.Raw(rejected))
    for odd in (b"{}", b"[]", b"5", b'{"run": 5}', b"{"):
        assert not file.has_written(msgspec.Raw(odd))
