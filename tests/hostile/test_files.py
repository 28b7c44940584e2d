"""Files that are none, or not one's own: a sentence at the start, and nobody's file is changed."""

from __future__ import annotations

import itertools
import json
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hostile.runner import TAP, TARGET, Outcome, run, run_against
from loading.messages import record, schema

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = 65_534
SECRET = {"TAP_HUBSPOT_EMAIL_EVENTS_CLIENT_SECRET": "secret"}
NOWHERE = "http://127.0.0.1:9"
RUN = {"started": "2026-01-01T00:00:00Z", "exit_code": 0, "outcome": "delivered"}
# One that is rejected before anything is sent.
REJECT = record(1, recipient="")
REJECT["record"].pop("recipient")
INPUT = "".join(f"{json.dumps(message)}\n" for message in (schema(), REJECT)).encode()


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


def make_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.touch()


def make_hard_link(path: Path) -> None:
    path.touch()
    path.with_name("hard").hardlink_to(path)


MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "pipe"),
    "folder": (Path.mkdir, "folder"),
    "socket": (make_socket, "socket"),
    "device": (make_link_to_a_device, "device"),
    "below a file": (make_below_a_file, ""),
}


def target(folder: Path, **settings: Any) -> Outcome:
    return run_against(NOWHERE, TARGET, folder=folder, stdin=INPUT, **settings)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in/odd"


@pytest.mark.parametrize("setting", ["rejected_path", "job_log_path"])
@pytest.mark.parametrize("kind", [*MADE, "NUL", "too long"])
def test_what_is_no_file_is_not_written_to(
    tmp_path: Path, odd: Path, kind: str, setting: str
) -> None:
    path, words = str(odd), ""
    if kind in MADE:
        make, words = MADE[kind]
        make(odd)
    else:
        path += "\0" if kind == "NUL" else "x" * 300
    target(tmp_path, **{setting: path}).assert_said(setting, "another path", words)


WRITES: dict[str, tuple[str, ...]] = {
    "page": (f"{TARGET}-jobs", "jobs.jsonl", "--html"),
    "plan": (f"{TARGET}-taxonomy", "--csv"),
    ".env": (f"{TAP}-connect", "--client-id", "x", "--no-browser", "--timeout", "0", "--env-file"),
}
READS: dict[str, tuple[str, ...]] = {
    "job log": (f"{TARGET}-jobs",),
    "state": (TAP, "--state"),
    "catalog": (TAP, "--catalog"),
    "state to check": (f"{TAP}-check", "--state"),
    "catalog to check": (f"{TAP}-check", "--catalog"),
    **{
        f"settings of {command}": (command, "--config")
        for command in (TAP, TARGET, f"{TAP}-check", f"{TARGET}-check", f"{TARGET}-jobs")
    },
}


@pytest.mark.parametrize(
    ("use", "kind"),
    [
        *itertools.product([*WRITES, "job log", "catalog"], MADE),
        *((use, "pipe") for use in READS if use not in ("job log", "catalog")),
    ],
)
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, odd: Path, use: str, kind: str) -> None:
    (tmp_path / "jobs.jsonl").write_text(json.dumps(RUN))
    make, _ = MADE[kind]
    make(odd)
    command, *arguments = (WRITES | READS)[use]
    if "connect" in command:
        ended = run(command, *arguments, str(odd), folder=tmp_path, variables=SECRET)
    else:
        ended = run_against(NOWHERE, command, *arguments, str(odd), folder=tmp_path)
    # The command line itself refuses a folder, except where one may hold what is asked for.
    is_usage_error = kind == "folder" and use not in ("job log", "catalog")
    ended.assert_said(str(odd), code=2 if is_usage_error else 1)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "no text"])
@pytest.mark.parametrize("command", [f"{TARGET}-jobs", f"{TAP}-check"])
def test_an_odd_env_file_is_a_sentence(tmp_path: Path, kind: str, command: str) -> None:
    path = tmp_path / ".env"
    if kind == "no text":
        path.write_bytes(b"\xff=\xff")
    else:
        MADE[kind][0](path)
    run(command, folder=tmp_path).assert_said()


def test_what_comes_through_a_pipe_is_read(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, json.dumps({"job_log_path": "nowhere"}).encode())
    os.close(writer)
    path = f"/proc/{os.getpid()}/fd/{reader}"
    if not Path(path).exists():
        pytest.skip("needs /proc")
    run(f"{TARGET}-jobs", "--config", path, folder=tmp_path).assert_said("no job log at nowhere")
    os.close(reader)


SAME: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "one name": ("a.jsonl", "a.jsonl", Path.touch),
    "two ways": ("a.jsonl", "in/../a.jsonl", Path.touch),
    "letter case": ("a.jsonl", "A.jsonl", lambda _: None),
    "link": ("a.jsonl", "link", lambda path: path.with_name("link").symlink_to(path.name)),
    "hard link": ("a.jsonl", "hard", make_hard_link),
    "rejects as what is missing": ("missing.singer.jsonl", "jobs.jsonl", lambda _: None),
    "job log as what is missing": ("a.jsonl", "missing.singer.jsonl", lambda _: None),
    "rejects as older job log": ("a.jsonl.1", "a.jsonl", lambda _: None),
}


@pytest.mark.parametrize("case", SAME)
def test_one_file_has_one_use(tmp_path: Path, odd: Path, case: str) -> None:
    rejected, log, make = SAME[case]
    make(tmp_path / rejected)
    ended = target(tmp_path, rejected_path=rejected, job_log_path=log)
    ended.assert_said("would be both", "name another path")
    assert not odd.exists()


def test_the_page_does_not_take_the_place_of_the_job_log(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_text(json.dumps(RUN))
    run(f"{TARGET}-jobs", "jobs.jsonl", "--html", str(log), folder=tmp_path).assert_said("both")
    assert json.loads(log.read_text()) == RUN


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_with_addresses_are_their_owners_only_also_behind_a_link(tmp_path: Path) -> None:
    for name in ("rejected", "log"):
        (tmp_path / name).touch(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "rejected")
    target(tmp_path, rejected_path="link", job_log_path="log", max_rejected_percent=100)
    assert (tmp_path / "link").is_symlink()
    for name in ("rejected", "log"):
        assert (tmp_path / name).read_bytes()
        assert mode(tmp_path / name) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
class TestOthers:
    @pytest.fixture
    def other(self, tmp_path: Path) -> Path:
        path = tmp_path / "other"
        path.write_bytes(b"theirs")
        path.chmod(0o644)
        os.chown(path, NOBODY, NOBODY)
        return path

    @pytest.mark.parametrize("setting", ["rejected_path", "job_log_path"])
    def test_a_link_is_not_followed_into_another_owners_file(
        self, tmp_path: Path, other: Path, setting: str
    ) -> None:
        (tmp_path / "link").symlink_to(other)
        target(tmp_path, **{setting: "link"}).assert_said(setting, "another user's file")
        assert (other.read_bytes(), mode(other)) == (b"theirs", 0o644)

    @pytest.mark.parametrize("setting", ["rejected_path", "job_log_path"])
    def test_another_owners_link_is_not_followed(self, tmp_path: Path, setting: str) -> None:
        (tmp_path / "own").write_bytes(b"ours")
        (tmp_path / "link").symlink_to(tmp_path / "own")
        os.lchown(tmp_path / "link", NOBODY, NOBODY)
        target(tmp_path, **{setting: "link"}).assert_said(setting, "another user's")
        assert (tmp_path / "own").read_bytes() == b"ours"

    @pytest.mark.parametrize("use", WRITES)
    def test_nor_by_a_command(self, tmp_path: Path, other: Path, use: str) -> None:
        (tmp_path / "jobs.jsonl").write_text(json.dumps(RUN))
        (tmp_path / "link").symlink_to(other)
        command, *arguments = WRITES[use]
        ended = run(command, *arguments, "link", folder=tmp_path, variables=SECRET)
        ended.assert_said("another user's file")
        assert other.read_bytes() == b"theirs"

    def test_the_mode_of_another_owners_file_stays(self, tmp_path: Path, other: Path) -> None:
        target(tmp_path, rejected_path="other", max_rejected_percent=100)
        assert other.read_bytes() != b"theirs"
        assert mode(other) == 0o644
