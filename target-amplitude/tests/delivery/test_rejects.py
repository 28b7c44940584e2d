"""What stands in the rejects file, when it is on the disk, and how it is loaded again."""

from __future__ import annotations

import json
import os
import stat
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


def test_a_corrected_reject_has_its_user_properties_and_groups(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    person = {"user_property_fields": ["contact.plan"], "group_fields": {"company": "contact.id"}}
    contact = {"plan": "team", "id": 7}
    bad = record(2, contact=contact, recipient="unknown")
    loader.load([schema(), record(1, contact=contact), bad, state(1)], **person)
    corrected = tmp_path / "corrected.jsonl"
    corrected.write_text(
        loader.rejected_path.read_text().replace("unknown", "corrected@example.com")
    )
    loader.load_text(corrected, **person)
    first, replayed = sandbox.amplitude_events()
    assert replayed["user_id"] == "corrected@example.com"
    for name in ("user_properties", "groups"):
        assert replayed[name] == first[name]


def test_the_rejects_file_can_be_its_own_input(sandbox: Sandbox, loader: Loader) -> None:
    loader.load(with_bad_users(20, 4, 9))
    text = loader.rejected_path.read_text()
    loader.rejected_path.write_text(text.replace("unknown", "corrected@example.com", 1))
    loader.load_text(loader.rejected_path)
    assert sandbox.amplitude_counts() == {OPEN: 19}
    assert len(loader.rejected_records) == 2


def test_an_unwritable_path_stops_the_run_before_anything_is_sent(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFailedError, match="rejected_path"):
        loader.load(run_of(5), rejected_path=str(tmp_path / "file" / "rejects.jsonl"))
    assert sandbox.amplitude_stats()["requests"] == 0


@pytest.mark.parametrize("bad", [5, 95])
def test_a_full_disk_fails_the_run_before_the_state_moves(
    loader: Loader, bad: int, full_file: str
) -> None:
    messages = run_of(100, state_every=10)
    messages[bad + bad // 10]["record"]["recipient"] = "unknown"
    reached = messages[bad + bad // 10]["record"]["id"]
    with pytest.raises(RunFailedError, match="File too large"):
        loader.load(messages, rejected_path=full_file)
    assert reached.startswith("event-")
    for value in loader.states:
        assert value["bookmarks"]["email_open"]["number"] <= bad


def test_a_full_disk_fails_the_run_when_amplitude_refuses(
    sandbox: Sandbox, loader: Loader, full_file: str
) -> None:
    body = {"code": 400, "events_with_invalid_fields": {"time": [0]}}
    sandbox.add_fault("amplitude", action="answer", status=400, json=body)
    with pytest.raises(RunFailedError, match="File too large"):
        loader.load(run_of(50), rejected_path=full_file)
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


def test_each_streams_schema_comes_once_before_its_records(file: RejectsFile, path: Path) -> None:
    file.add_schemas({each: schema_of(each) for each in ("email_open", "email_click")})
    file.write([Reject(line_of(id="a"), "x"), Reject(line_of("email_click", id="b"), "x")])
    file.write([Reject(line_of(id="c"), "x"), Reject(line_of("email_sent", id="d"), "x")])
    assert [(each["type"], each["stream"]) for each in lines(path)] == [
        ("SCHEMA", "email_open"),
        ("RECORD", "email_open"),
        ("SCHEMA", "email_click"),
        ("RECORD", "email_click"),
        ("RECORD", "email_open"),
        ("RECORD", "email_sent"),
    ]


def test_a_changed_schema_comes_again(file: RejectsFile, path: Path) -> None:
    for version in (1, 1, 2):
        file.add_schemas({"email_open": schema_of("email_open", version)})
        file.write([Reject(line_of(id="a"), "x")])
    assert [each.get("version") for each in lines(path)] == [1, None, None, 2, None]


def test_rejects_are_counted_once_they_are_written(file: RejectsFile) -> None:
    counts = StreamCounts("email_open", 0.0)
    file.write(
        [
            Reject(line_of(id="a"), "no user", counts=counts),
            Reject(line_of(id="b"), "no user", counts=counts, counted=False),
            Reject(line_of(id="c"), "no user"),
        ]
    )
    assert counts.rejected == {"no user": 2}
    assert counts.rejected_counted == 1


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


def test_what_was_there_before_stays(path: Path) -> None:
    RejectsFile(path).write([Reject(line_of(id="a"), "x")])
    RejectsFile(path).write([Reject(line_of(id="b"), "x")])
    first, second = lines(path)
    assert (first["record"]["id"], second["record"]["id"]) == ("a", "b")
    assert first["rejected"]["run"] != second["rejected"]["run"]


def test_it_is_so_from_the_first_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_permitted(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchmod", not_permitted)
    before = os.umask(0)
    try:
        RejectsFile(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_device_keeps_its_mode() -> None:
    before = Path("/dev/null").stat().st_mode
    RejectsFile(Path("/dev/null")).close()
    assert Path("/dev/null").stat().st_mode == before


class TestSync:
    @pytest.fixture
    def synced(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        calls: list[int] = []
        monkeypatch.setattr(os, "fsync", calls.append)
        return calls

    def test_only_what_was_written_is_synced_and_once(
        self, file: RejectsFile, synced: list[int]
    ) -> None:
        file.sync()
        file.write([])
        file.sync()
        assert synced == []
        file.write([Reject(line_of(id="a"), "x")])
        file.sync()
        file.sync()
        assert len(synced) == 1

    def test_a_failure_is_tried_again(
        self, file: RejectsFile, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: int) -> None:
            raise OSError(5, "Input/output error")

        file.write([Reject(line_of(id="a"), "x")])
        monkeypatch.setattr(os, "fsync", fails)
        for _ in range(2):
            with pytest.raises(RunFailedError, match=f"{path}: Input/output error"):
                file.sync()

    def test_a_device_need_not_be_synced(self) -> None:
        file = RejectsFile(Path("/dev/null"))
        file.write([Reject(line_of(id="a"), "x")])
        file.sync()
        file.close()


class TestAsInput:
    def test_it_is_recognised_and_read_only_as_far_as_it_goes(
        self, file: RejectsFile, path: Path
    ) -> None:
        file.write([Reject(line_of(id="a"), "x")])
        size = path.stat().st_size
        with path.open("rb") as source:
            source.seek(5)
            assert file.detect_input(source.fileno()) == size - 5
        assert file.is_input

    def test_another_file_is_another(self, file: RejectsFile, tmp_path: Path) -> None:
        (tmp_path / "other").write_bytes(b"x")
        with (tmp_path / "other").open("rb") as source:
            assert file.detect_input(source.fileno()) is None
        assert not file.is_input

    def test_a_device_is_no_input_of_its_own(self) -> None:
        file = RejectsFile(Path("/dev/null"))
        with Path("/dev/null").open("rb") as source:
            assert file.detect_input(source.fileno()) is None
        assert not file.is_input

    def test_what_is_refused_stays_where_it_is_and_is_counted(
        self, file: RejectsFile, path: Path
    ) -> None:
        file.write([Reject(line_of(id="a"), "x")])
        file.is_input = True
        counts = StreamCounts("email_open", 0.0)
        file.write([Reject(line_of(id="a"), "x", counts=counts)])
        assert len(lines(path)) == 1
        assert counts.rejected == {"x": 1}

    def test_what_this_run_has_written_it_knows(self, file: RejectsFile, path: Path) -> None:
        file.write([Reject(line_of(id="a"), "x")])
        rejected = json.dumps(lines(path)[0]["rejected"]).encode()
        assert file.has_written(msgspec.Raw(rejected))
        assert not RejectsFile(path).has_written(msgspec.Raw(rejected))
        for odd in (b"{}", b"[]", b"5", b'{"run": 5}', b"{"):
            assert not file.has_written(msgspec.Raw(odd))
