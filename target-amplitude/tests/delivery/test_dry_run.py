from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from forked import Forked
from loading.messages import OPEN, record, run_of, schema, state

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_a_dry_run_counts_and_sends_nothing(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    states = loader.load([*run_of(200), record(201, recipient="")], dry_run=True)
    assert states == []
    assert sandbox.amplitude_stats()["requests"] == 0
    assert not loader.rejected_path.exists()
    summary = loader.streams["email_open"]
    assert (summary["read"], summary["delivered"], summary["distinct_users"]) == (201, 200, 50)
    assert summary["rejected"] == {"no user": 1}
    assert loader.runs[-1]["distinct_users_by_month"] == {"2026-11": {OPEN: 50, "all types": 50}}


def test_users_are_counted_by_month_over_all_types_in_the_order_of_types(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    messages = [schema(), schema("email_sent")]
    many = 20_000
    for stream, kind, month, people in (
        ("email_open", "OPEN", "2026-08", range(2)),
        ("email_open", "OPEN", "2026-08", range(2)),
        ("email_sent", "SENT", "2026-08", range(1, 4)),
        ("email_open", "OPEN", "2026-09", range(many)),
    ):
        created = f"{month}-30T23:59:59.999Z"
        for person in people:
            fields = {"type": kind, "created": created, "recipient": f"p{person}@example.com"}
            messages.append(record(person, stream, **fields))
    loader.load(messages, dry_run=True)

    start = next(i for i, line in enumerate(caplog.messages) if line.startswith("distinct users"))
    titles, *rows = (line.split("  ") for line in caplog.messages[start : start + 4])
    cells = [[cell.strip() for cell in row if cell.strip()] for row in (titles, *rows)]
    assert cells[0] == ["distinct users", "2026-08", "2026-09"]
    assert cells[1] == ["[HubSpot] EMAIL_SENT", "3", "0"]
    assert (cells[2][:2], cells[3][:2]) == ([OPEN, "2"], ["all types", "4"])
    for cell, share in ((cells[2][2], 0.25), (cells[3][2], 0.09)):
        about, number = cell.split()
        assert about == "about"
        assert abs(int(number.replace(",", "")) - many) < share * many


def preview(loader: Loader, messages: list[Any], **settings: Any) -> tuple[str, str]:
    """What the command prints, and its log."""
    path = loader.rejected_path.parent / "config.json"
    path.write_text(json.dumps(loader.config | settings))
    stdin = "".join(f"{json.dumps(message)}\n" for message in messages).encode()
    with Forked("target-amplitude", f"--config={path}", "--preview", stdin=stdin) as process:
        out, err = (each.decode() for each in process.communicate(60))
    assert process.returncode == 0, err
    return out, err


def previewed(loader: Loader, messages: list[Any], **settings: Any) -> list[dict[str, Any]]:
    """The examples that the command prints, in the order of their types."""
    decoder, examples = json.JSONDecoder(), []
    text, _ = preview(loader, messages, **settings)
    while text:
        example, end = decoder.raw_decode(text)
        examples.append(example)
        text = text[end:].lstrip()
    return examples


def test_a_preview_shows_an_example_of_each_type_and_sends_nothing(
    sandbox: Sandbox, loader: Loader, tmp_path: Path
) -> None:
    contact = {"plan": "team", "company": 7, "gone": None}
    messages = [
        schema(),
        *(record(number) for number in range(1, 5)),
        record(5, contact=contact),
        record(6, contact={"plan": "free"}),
        record(7, type="CLICK", recipient="none"),
        record(8, type="SENT"),
        state(8),
    ]
    opened, sent = previewed(
        loader,
        messages,
        user_property_fields=["contact.plan", "contact.gone"],
        group_fields={"company": "contact.company"},
    )
    assert opened["event_type"] == OPEN
    assert (opened["user_properties"], opened["groups"]) == ({"plan": "team"}, {"company": "7"})
    assert (sent["event_type"], "groups" in sent) == ("[HubSpot] EMAIL_SENT", False)
    assert sandbox.amplitude_stats()["requests"] == 0
    assert loader.runs[-1]["dry_run"] is True
    assert not (tmp_path / "rejected.jsonl").exists()


def test_a_preview_masks_addresses_wherever_they_stand(loader: Loader) -> None:
    text = (
        "Ada <ada.l@secret.example>, https://a.example/?email=ada.l%40secret.example&b=1 "
        "bounce-ada.l=secret.example@mta.example \n\tünï.ada.l@secret.example\\"
    )
    messages = [schema(), record(1, contact={"email": text, text: [text, {text: text}]}, url=text)]
    (example,) = previewed(
        loader, messages, user_property_fields=["contact.email"], group_fields={"who": "url"}
    )
    shown = json.dumps(example)
    assert "***@***" in shown
    assert "ada.l" not in shown
    assert "secret" not in shown
    assert "user-1" not in shown


def test_a_preview_says_of_nothing_that_it_is_written(loader: Loader) -> None:
    streams = ("email_campaigns", "other")
    schemas = [schema(stream) | {"key_properties": []} for stream in streams]
    rows = [{"type": "RECORD", "stream": stream, "record": {"id": 7}} for stream in streams]
    _, said = preview(loader, [*schemas, *rows])
    assert "its records are not sent" in said
    assert "written to" not in said
