"""Words of others, wherever they come in, reach terminal, log and page without harm."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hostile.runner import MAPPER, SETTINGS, TAP, TARGET, run, settings_of
from loading.messages import run_of, schema

if TYPE_CHECKING:
    from sandbox.client import Sandbox

ROOT = Path(__file__).parents[2]
WORD = (
    "evil\x1b]0;t\x07\x1b[2J\r\n2026-01-01 | INFO | forged\x00\x85\u2028\u202e\u200b\U000e0041\xa0"
    "jane.doe@example.com jane.doe%40example.com <b>"
)
LONG = WORD + " x" * 5_000
EXPORTED = {"started": "2026-11-01T00:00:00Z", "outcome": LONG, "exit_code": 1, "state_id": WORD}
NOW = 1_790_000_000_000
EVENT = {"type": "OPEN", "portalId": 4711, "recipient": "a@example.com", "created": NOW}


def messages(*given: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(each)}\n" for each in given).encode()


def refused(**body: Any) -> dict[str, Any]:
    return {"service": "amplitude", "action": "answer", "status": 400, "json": body}


def hubspot(status: int, **fault: Any) -> dict[str, Any]:
    return {"service": "hubspot", "action": "answer", "status": status} | fault


ONE = messages(*run_of(1))
SAID = {"message": LONG, "category": WORD, "errors": [{"context": {"requiredScopes": [WORD]}}]}
EVENTS = "/email/public/v1/events"
DETAILS = "/account-info/v3/details"
ODD_STREAM = messages(schema(WORD), {"type": "RECORD", "stream": WORD, "record": {"id": "1"}})

# What comes in where: a command, its settings, its input and what a service says.
PLACES: dict[str, dict[str, Any]] = {
    "HubSpot's message": {"command": TAP, "fault": hubspot(400, path=EVENTS, json=SAID)},
    "HubSpot's word on scopes": {"command": TAP, "fault": hubspot(403, path=EVENTS, json=SAID)},
    "HubSpot's text": {"command": TAP, "fault": hubspot(403, path=EVENTS, body=LONG)},
    "the id of a broken event": {
        "command": TAP,
        "fault": hubspot(
            200,
            path=EVENTS,
            times=1,
            json={"hasMore": False, "events": [EVENT | {"id": WORD, "created": WORD}]},
        ),
    },
    "the details of an account": {
        "command": f"{TAP}-check",
        "fault": hubspot(200, path=DETAILS, json={"portalId": 4711, "accountType": LONG}),
    },
    "the details of an account as JSON": {
        "command": f"{TAP}-check",
        "arguments": ["--json"],
        "fault": hubspot(200, path=DETAILS, json={"portalId": 4711, "accountType": LONG}),
    },
    "a stream of the state": {
        "command": TAP,
        "files": {"state.json": {"bookmarks": {WORD: {"replication_key_value": "x"}}}},
        "arguments": ["--state", "state.json"],
    },
    "a setting": {"command": TAP, "settings": {WORD: 1}},
    "the value of a setting": {"command": TAP, "settings": {"page_size": WORD}},
    "a stream map": {"command": TAP, "settings": {"stream_maps": {WORD: {"a": "b"}}}},
    "an expression": {
        "command": TAP,
        "settings": {"stream_maps": {"email_open": {"a": f"( {WORD}"}}},
    },
    "the name of a file": {"command": TAP, "config file": "\x1b[2Jevil\u202e jane.doe@example.com"},
    "the name of rejected_path": {
        "command": TARGET,
        "settings": {"rejected_path": f"/dev/null/{WORD}"},
    },
    "Amplitude's error": {"command": TARGET, "input": ONE, "fault": refused(code=400, error=LONG)},
    "Amplitude's missing field": {
        "command": TARGET,
        "input": ONE,
        "fault": refused(code=400, error="x", missing_field=LONG),
    },
    "Amplitude's invalid fields": {
        "command": TARGET,
        "input": messages(*run_of(3)),
        "settings": {"max_rejected_percent": 100},
        "fault": refused(code=400, error=LONG, events_with_invalid_fields={LONG: [0]})
        | {"times": 1},
        "shown": "rejected.jsonl",
    },
    "Amplitude's word on the taxonomy": {
        "command": f"{TARGET}-taxonomy",
        "settings": {"secret_key": "sandbox-secret-key"},
        "fault": refused(error=LONG) | {"path": "/api/2/taxonomy"},
    },
    "an event's name": {
        "command": f"{TARGET}-taxonomy",
        "settings": {"secret_key": "sandbox-secret-key", "event_types": {"OPEN": WORD}},
    },
    "a stream of the input": {"command": TARGET, "input": ODD_STREAM},
    "a type of the input": {"command": TARGET, "input": messages({"type": WORD})},
    "a stream of a mapper": {
        "command": MAPPER,
        "settings": {"transforms": ["engagement-only"]},
        "input": ODD_STREAM,
    },
    "an option": {"command": f"{TARGET}-jobs", "arguments": ["--max-age", WORD]},
    "a run of the job log": {
        "command": f"{TARGET}-jobs",
        "files": {"jobs.jsonl": EXPORTED | {"streams": [{"read": 1, "rejected": {WORD: 1}}]}},
        "arguments": ["jobs.jsonl"],
    },
    "a run of the job log for a monitor": {
        "command": f"{TARGET}-jobs",
        "files": {"jobs.jsonl": EXPORTED},
        "arguments": ["jobs.jsonl", "--check"],
    },
    "a run of the job log on the page": {
        "command": f"{TARGET}-jobs",
        "files": {
            "jobs.jsonl": EXPORTED
            | {
                "streams": [
                    {"stream": WORD, "read": 1, "delivered": 1, "rejected": {WORD: 1}}
                    | {"delivered_by_hour": {"2026-11-01T00": 1}, "last_event": WORD}
                ]
            }
        },
        "arguments": ["jobs.jsonl", "--html", "page.html"],
        "shown": "page.html",
    },
}
QUIET = frozenset({"HubSpot's text", "a type of the input"})
"""Of these words nothing is shown."""


@pytest.mark.parametrize("name", PLACES)
def test_it_is_shown_without_harm(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    place = PLACES[name]
    if fault := place.get("fault"):
        sandbox.add_fault(**fault)
    for file, content in place.get("files", {}).items():
        (tmp_path / file).write_text(json.dumps(content) + "\n")
    command, arguments = place["command"], list(place.get("arguments", ()))
    config = settings_of(command) | place.get("settings", {})
    if command != MAPPER:
        is_tap = command.startswith(TAP)
        config["api_url"] = sandbox.hubspot_url if is_tap else sandbox.amplitude_url
    if "config file" in place:
        arguments, config = ["--config", place["config file"]], None
    ended = run(command, *arguments, folder=tmp_path, config=config, stdin=place.get("input", b""))
    # What a plugin writes to standard output is data.
    shown = ended.err if command in SETTINGS else ended.out + ended.err
    if command == TARGET and (log := tmp_path / "jobs.jsonl").exists():
        shown += "".join(json.loads(line)["outcome"] for line in log.read_text().splitlines())
        assert log.read_text().isascii()
    if "shown" in place:
        shown += (tmp_path / place["shown"]).read_text()
    assert "Traceback" not in ended.err
    assert ("evil" in shown) is (name not in QUIET), shown[-2000:]
    for line in shown.split("\n"):
        # The style of the page's first lines is long; all of it is ours.
        assert line.replace("\N{NO-BREAK SPACE}M", " M").isprintable(), ascii(line)[:500]
        assert "jane.doe" not in line
        assert not line.startswith("2026-01-01 | INFO | forged")
    assert "<b>evil" not in shown
    assert len(ended.err) < 20_000


def test_a_run_that_is_damaged_is_counted_and_the_others_are_shown(tmp_path: Path) -> None:
    good = {"started": "2026-11-01T00:00:00Z", "outcome": "$x_{ and {0} %s", "exit_code": 1}
    odd: list[Any] = [
        good | {"seconds": 10**400},
        good | {"seconds": "x" * 100_000, "streams": {"a": 1}},
        good | {"streams": [{"read": 10**30, "rejected": {"a": -1}}] * 1000},
        good | {"started": "9999-12-31T23:59:59Z", "seconds": 1e300},
        good | {"started": 5, "exit_code": [], "complete": {}, "dry_run": "no"},
        good | {"streams": [{"stream": {}, "delivered_by_hour": hours()}]},
    ]
    lines = [json.dumps(each).encode() for each in (good, *odd)]
    lines += [b"\0", b'{"started"', b"[" * 100_000, b"\xff\xfe", b"5", b'{"a": "\\ud800"}' * 2]
    (tmp_path / "jobs.jsonl").write_bytes(b"\n".join(lines))
    for arguments in ((), ("--json",), ("--check",), ("--html", "page.html")):
        ended = run(f"{TARGET}-jobs", "jobs.jsonl", *arguments, folder=tmp_path)
        assert "lines of the job log could not be read" in ended.err
        assert "Traceback" not in ended.err
        assert ended.code == (1 if "--check" in arguments else 0)
        assert len(ended.out) < (3_000_000 if "--json" in arguments else 20_000)
        if not arguments:
            assert ended.out.count("$x_{") == len(lines) - 6
    page = (tmp_path / "page.html").read_text()
    assert "$x_{" in page
    assert len(page) < 2_000_000


def hours() -> dict[str, int]:
    return {f"{year:04}-{month:02}-01T00": 1 for year in range(2, 9000) for month in range(1, 13)}


PRINTS = {
    "common/output.py: secho": 1,
    "common/output.py: write": 1,  # a state, where a caller takes text
    "common/command.py: BadParameter": 1,  # `Command` makes its text fit
    # JSON, all of it in ASCII.
    "common/findings.py: echo": 1,
    f"{TARGET}/target_amplitude/history/jobs.py: echo": 1,
    # The refresh token, which is printed for a program to read.
    f"{TAP}/tap_hubspot_email_events/connect/command.py: echo": 1,
    f"{TAP}/tap_hubspot_email_events/connect/consent.py: escape": 2,
    f"{TARGET}/target_amplitude/history/chart.py: escape": 1,
}
"""Where anything is printed or put on a page: what is added goes through `say` or `show`."""

PRINTING = re.compile(
    r"print|(click\.)?(echo|secho)|click\.\w*(Exception|Error|BadParameter)|(html\.)?escape"
    r"|sys\.(stdout|stderr)\.write|(traceback|pprint)\.\w+|logging\.(getLogger\(\)\.)?(basicConfig|info|warning|error)"
)


def test_nothing_is_printed_in_another_way() -> None:
    found: Counter[str] = Counter()
    for folder in ("common", f"{TAP}/tap_hubspot_email_events", f"{TARGET}/target_amplitude"):
        for path in (ROOT / folder).rglob("*.py"):
            if folder != "common" and "common" in path.parts[len(ROOT.parts) :]:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and PRINTING.fullmatch(ast.unparse(node.func)):
                    name = ast.unparse(node.func).rpartition(".")[2]
                    found[f"{path.relative_to(ROOT)}: {name}"] += 1
    found -= Counter({"common/command.py: format_tb": 1, "common/stream_maps.py: walk_tb": 1})
    assert found == PRINTS
