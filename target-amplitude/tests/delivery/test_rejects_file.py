"""What stands in the rejects file, and when it is on the disk."""

from __future__ import annotations

import json
import os
import stat
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from target_amplitude.delivery.rejects import Reject, RejectsFile
from target_amplitude.errors import RunFailedError
from target_amplitude.history.counts import StreamCounts


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


def test_what_is_not_known_is_not_said(file: RejectsFile, path: Path) -> None:
    file.write([Reject(line_of(id="a"), "no user")])
    assert set(lines(path)[0]["rejected"]) == {"reason", "at", "run"}


def test_what_is_refused_again_has_one_reason_the_newest(file: RejectsFile, path: Path) -> None:
    message = json.loads(line_of(id="a")) | {"rejected": {"reason": "older", "run": "x"}}
    file.write([Reject(json.dumps(message).encode(), "newer")])
    assert lines(path)[0]["rejected"]["reason"] == "newer"


def test_each_streams_schema_comes_once_before_its_records(file: RejectsFile, path: Path) -> None:
    file.add_schema("email_open", schema_of("email_open"))
    file.add_schema("email_click", schema_of("email_click"))
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
        file.add_schema("email_open", schema_of("email_open", version))
        file.write([Reject(line_of(id="a"), "x")])
    assert [each.get("version") for each in lines(path)] == [1, None, None, 2, None]


def test_numbers_that_json_cannot_carry_are_kept(file: RejectsFile, path: Path) -> None:
    line = b'{"type": "RECORD", "stream": "email_open", "record": {"weight": NaN}}'
    file.write([Reject(line, "invalid value")])
    (message,) = lines(path)
    assert message["record"]["weight"] != message["record"]["weight"]
    assert message["rejected"]["reason"] == "invalid value"


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


def test_a_write_in_pieces_is_a_whole_one(
    file: RejectsFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda to, data: write(to, data[:7]))
    file.write([Reject(line_of(id="a"), "no user")])
    assert lines(path)[0]["record"] == {"id": "a"}


def test_what_was_there_before_stays(path: Path) -> None:
    RejectsFile(path).write([Reject(line_of(id="a"), "x")])
    RejectsFile(path).write([Reject(line_of(id="b"), "x")])
    first, second = lines(path)
    assert (first["record"]["id"], second["record"]["id"]) == ("a", "b")
    assert first["rejected"]["run"] != second["rejected"]["run"]


def test_only_its_owner_can_read_it(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch(0o644)
    RejectsFile(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


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


def test_a_path_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFailedError, match=r"rejected_path .*: (Not a directory|File exists);"):
        RejectsFile(tmp_path / "file" / "rejects.jsonl")


def test_a_failure_without_words_is_said_to_have_none(
    file: RejectsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> int:
        raise OSError

    monkeypatch.setattr(os, "write", fails)
    with pytest.raises(RunFailedError, match=": unknown reason; make room"):
        file.write([Reject(line_of(id="a"), "x")])


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
