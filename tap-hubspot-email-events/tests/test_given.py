"""What is given as a state or catalog is understood, or refused before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extracting.extractor import PATIENCE, Run, event, now, parsed
from forked import Forked
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from pathlib import Path

    from extracting.extractor import Runner
    from sandbox.client import Sandbox

DAY = 86_400_000
MARK = {"replication_key": "created", "replication_key_value": format_timestamp(now() - DAY)}
GOOD = {"bookmarks": {"email_open": MARK}}


@pytest.fixture(autouse=True)
def _events(sandbox: Sandbox) -> None:
    sandbox.add_events([event("OPEN", now() - number * 3_600_000) for number in range(1, 9)])


def assert_refused(run: Run, sandbox: Sandbox, words: str) -> None:
    (sentence,) = run.complaints
    assert words in sentence
    assert (run.code, run.messages) == (1, [])
    assert sandbox.hubspot_stats()["requests"] == 0


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"singer_state": GOOD}, "is wrapped in `singer_state`"),
        ({"bookmarks": {"email_open": MARK | {"run_started_at": -1}}}, "before the year 2000"),
    ],
)
def test_a_state_that_is_none_is_refused(
    sandbox: Sandbox, tap: Runner, state: Any, words: str
) -> None:
    assert_refused(tap(state=state), sandbox, words)


def test_bookmarks_of_unknown_streams_are_named_and_kept(tap: Runner) -> None:
    run = tap(state={"bookmarks": {"email_open": MARK, "contacts": {"at": 5}}})
    assert run.code == 0
    assert len(run.records) == 8
    (warning, *_) = run.complaints
    assert "streams that this tap does not have: `contacts`" in warning
    assert run.state["bookmarks"]["contacts"] == {"at": 5}


@pytest.mark.parametrize("option", ["--state", "--catalog"])
@pytest.mark.parametrize("content", [None, b"[1]", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"])
def test_a_file_of_something_else_is_refused_by_its_name(
    sandbox: Sandbox, tap: Runner, tmp_path: Path, option: str, content: bytes | None
) -> None:
    path, words = tmp_path, "cannot be read"
    if content is not None:
        path, words = tmp_path / "given.json", "is no JSON object"
        path.write_bytes(content)
    with Forked(*tap.command(), option, str(path)) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    run = Run(process.returncode, errors.decode(), parsed(output))
    assert_refused(run, sandbox, f"The file {path} given with {option} {words}")


@pytest.mark.parametrize(
    "catalog",
    [
        {},
        {"streams": [{"schema": {}, "tap_stream_id": "email_open", "metadata": 7}]},
        {"streams": [{"schema": {"properties": 5}, "tap_stream_id": "email_open"}]},
    ],
)
def test_a_catalog_of_another_form_is_refused(
    sandbox: Sandbox, tap: Runner, catalog: dict[str, Any]
) -> None:
    assert_refused(tap(catalog=catalog), sandbox, "The catalog is of no known form")
