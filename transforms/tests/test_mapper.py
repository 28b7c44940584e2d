"""The program between pipes, as Meltano runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a key of some length"
STATE = b'{"type":"STATE","value":{"n":1}}\n'


def line(**fields: Any) -> bytes:
    record = {"id": "1", "created": "2026-01-01T00:00:00Z", "type": "SENT"} | fields
    return json.dumps({"type": "RECORD", "stream": "email_sent", "record": record}).encode() + b"\n"


class Mapper:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.json"
        self.environment = {**os.environ, "PSEUDONYMISE_KEY": KEY, "LOGLEVEL": "DEBUG"}

    def start(self, *transforms: Any) -> subprocess.Popen[bytes]:
        self.path.write_text(json.dumps({"transforms": transforms}), encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, "-m", "mapper_email_events", "--config", str(self.path)],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    return Mapper(tmp_path)


def test_neither_key_nor_address_is_logged_at_any_level(mapper: Mapper) -> None:
    treatable, untreatable = line(recipient="ada@example.com"), line(recipient=["eve@example.com"])

    process = mapper.start("pseudonymise")
    output, log = process.communicate(treatable + untreatable + line(recipient=7) + STATE, 60)

    assert process.returncode == 0
    assert b"@" not in output + log
    assert KEY.encode() not in output + log
    assert output.endswith(STATE)
    assert b"email_sent: 3 read, 2 passed on" in log
    assert b"email_sent: 1 held back" in log


def test_an_unknown_transform_is_refused_in_a_sentence(mapper: Mapper) -> None:
    process = mapper.start("pseudonymize")
    output, log = process.communicate(STATE, 60)

    assert (process.returncode, output) == (1, b"")
    assert b"transforms is a list of drop-bots" in log
    assert b"Traceback" not in log


def test_what_has_arrived_is_passed_on_before_more_arrives(mapper: Mapper) -> None:
    process = mapper.start("drop-bots")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(STATE)
    process.stdin.flush()

    first = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert first == STATE
    assert process.returncode == -signal.SIGTERM


def test_the_end_of_the_reader_ends_the_mapper_in_a_sentence(mapper: Mapper) -> None:
    process = mapper.start("drop-bots")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(STATE)
    process.stdin.close()

    log = process.stderr.read()
    process.stderr.close()

    assert process.wait(60) == 1
    assert b"has ended" in log
    assert b"Traceback" not in log
