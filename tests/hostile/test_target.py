"""What an Amplitude, an export or an input that means harm can do to the target."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from hostile.runner import TARGET, run_against
from hostile.server import AMPLITUDE, CLOSE, END, JSON, Repeat, Script, Server, Wait, answer, bomb
from loading.messages import email, run_of, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    from hostile.runner import Outcome

UPLOAD = "/batch"
EXPORT = "/api/2/export"
LOOKUP = "/api/3/lookup_table"
TAXONOMY = "/api/2/taxonomy"
NOTHING = answer(status=404)
LIMITS = {
    "target_amplitude.amplitude.transport.REQUEST_SECONDS": 0.3,
    "target_amplitude.amplitude.export_api.REQUEST_SECONDS": 0.3,
    "target_amplitude.amplitude.export_api.MOST_BYTES": 30_000_000,
    "target_amplitude.reconcile.reconciliation._FIRST_HOURS": 1,
    "target_amplitude.lookup_table.upload._UPLOAD_SECONDS": 0.3,
}


def lines(*messages: Any) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


EVENTS = lines(*run_of(3))
CAMPAIGN = lines(
    schema("email_campaigns"),
    {"type": "RECORD", "stream": "email_campaigns", "record": {"id": 7, "name": "May"}},
    state(1),
)


def run(
    server: Server, folder: Path, stdin: bytes = EVENTS, command: str = TARGET, **settings: Any
) -> Outcome:
    given: dict[str, Any] = {"limits": LIMITS, "secret_key": "sandbox-secret-key"} | settings
    outcome = run_against(server.url, command, folder=folder, stdin=stdin, **given)
    outcome.assert_bounded()
    return outcome


def exported(*rows: Any) -> Script:
    """The answer of an export of rows, which are bytes or become JSON."""
    packed = io.BytesIO()
    content = b"".join(
        (row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows
    )
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1/part.json.gz", gzip.compress(content))
    return answer(packed.getvalue())


COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "upload": (UPLOAD, {}),
    "export": (EXPORT, {"reconcile": "report"}),
    "lookup": (LOOKUP, {"stdin": CAMPAIGN}),
}
# Beside what `test_session.py` tries.
NO_ANSWERS: dict[str, Script] = {
    "nothing": (Wait(60),),
    "a body without an end": (JSON + END, Repeat(b" ")),
    "a gzip that becomes 1.5 GB": bomb(1_500_000_000),
    "an error page of 100 MB": answer(b"<" * 100_000_000, 503),
    "a redirect to no address": answer(b"", 302, Location="http://["),
    "JSON nested too deep": answer(b"[" * 100_000 + b"]" * 100_000),
    "a list": answer([{"code": 200}]),
    "a zip whose line has 300 MB": exported(b"x" * 300_000_000),
}


@pytest.mark.parametrize("script", NO_ANSWERS.values(), ids=NO_ANSWERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_answer_that_is_none_ends_in_a_sentence(
    tmp_path: Path, command: str, script: Script
) -> None:
    path, settings = COMMANDS[command]
    with Server(AMPLITUDE | {path: script}) as server:
        outcome = run(server, tmp_path, **settings)
    if (command, outcome.code) == ("lookup", 0):
        assert "Amplitude refused the lookup table" in outcome.complaints[0]
    else:
        assert outcome.out == ""
        outcome.sentence()


@pytest.mark.parametrize("command", ["target-amplitude-check", "target-amplitude-taxonomy"])
@pytest.mark.parametrize("script", [(CLOSE,), bomb(10**9), answer([1])])
def test_commands_say_it_too(tmp_path: Path, command: str, script: Script) -> None:
    with Server(dict.fromkeys(AMPLITUDE, script)) as server:
        outcome = run(server, tmp_path, command=command, stdin=b"")
    assert outcome.code == 1


@pytest.mark.parametrize(
    "page",
    [
        bomb(100_000_000, 500, filling=b"<"),
        bomb(0, 500, head=b'{"a":[%b{}]}' % (b"{}," * 300_000)),
    ],
    ids=["a page", "JSON of empty objects"],
)
def test_eight_error_pages_at_once_fit_into_memory(tmp_path: Path, page: Script) -> None:
    with Server(AMPLITUDE | {UPLOAD: page}) as server:
        outcome = run(
            server,
            tmp_path,
            lines(*run_of(400)),
            max_concurrent_requests=8,
            batch_size_rows=20,
        )
    assert "status 500" in outcome.sentence()


def test_two_thousand_names_in_an_answer_are_read(tmp_path: Path) -> None:
    count = 2000
    names = {f"name-of-field-{field}": list(range(0, count, 2)) for field in range(8)}
    refusal = answer({"code": 400, "events_with_invalid_fields": names}, 400)
    with Server(AMPLITUDE | {UPLOAD: [refusal, answer({"code": 200})]}) as server:
        outcome = run(
            server,
            tmp_path,
            lines(*run_of(count)),
            max_concurrent_requests=1,
            max_rejected_percent=100,
        )
    assert outcome.code == 0
    assert len(server.requests) == 2
    rejected = (tmp_path / "rejected.jsonl").read_text()
    assert rejected.count('"refused by Amplitude"') == count // 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {}),
        (429, {}),
        (429, {"code": 429, "throttled_users": {email(1)["recipient"]: 31}}),
    ],
)
def test_a_long_wait_is_bounded_and_said(tmp_path: Path, status: int, body: Any) -> None:
    script = [answer(body, status, Retry_After="9" * 5000), answer({"code": 200})]
    limits = {
        f"target_amplitude.amplitude.{module}.LONGEST_WAIT": 0.5 for module in ("transport", "http")
    }
    with Server(AMPLITUDE | {UPLOAD: script}) as server:
        outcome = run(server, tmp_path, max_retries=1, limits=limits)
    assert outcome.code == 0
    assert "trying again in 0.5 s, the longest wait" in outcome.err


def in_amplitude(number: int, **fields: Any) -> dict[str, Any]:
    sent = email(number)
    event = {
        "event_type": "[HubSpot] EMAIL_OPEN",
        "user_id": sent["recipient"],
        "$insert_id": f"foreign-{number}",
        "client_event_time": sent["created"].replace("T", " ").removesuffix("Z"),
        "event_properties": {"portalId": 4711},
    }
    return event | fields


def test_bad_lines_cost_those_lines_and_are_said(tmp_path: Path) -> None:
    rows = (
        *(in_amplitude(number) for number in (1, 2, 3)),
        in_amplitude(4, event_properties={"portalId": [4711]}),
        in_amplitude(5, user_id=5),
        b'{"event_type":"\xff"}',
        b"[" * 100_000,
    )
    with Server(AMPLITUDE | {EXPORT: [exported(*rows), NOTHING]}) as server:
        outcome = run(server, tmp_path, reconcile="report")
    assert outcome.code == 0
    [complaint] = outcome.complaints
    assert "3 line(s) of Amplitude's export could not be read" in complaint
    last = json.loads((tmp_path / "jobs.jsonl").read_text())["reconciliation"]
    assert (last["missing"], last["other_source"], last["unreadable"]) == (0, 3, 3)


@pytest.mark.parametrize(
    "end",
    [b"", b'"}}\n', b'"}}\n' + lines(state(9))],
    ids=["nothing", "its end", "a state"],
)
def test_a_long_line_is_said_and_ends_the_run_after_what_came_before(
    tmp_path: Path, end: bytes
) -> None:
    line = b'{"type":"RECORD","stream":"email_open","record":{"id":"' + b"x" * 1_000_000
    limits = {
        f"target_amplitude.input.{module}.MAX_LINE_BYTES": 500_000
        for module in ("lines", "messages")
    }
    with Server(AMPLITUDE) as server:
        outcome = run(server, tmp_path, EVENTS + line + end, limits=limits)
    assert (
        "Line 6 of the input, of stream email_open, has more than the 500,000" in outcome.sentence()
    )
    assert outcome.out == lines(state(3)["value"]).decode()
