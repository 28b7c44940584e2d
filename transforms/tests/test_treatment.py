"""What passes, what is held back and what ends the run, line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mapped import mapped
from mapper_email_events.common.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = {
    "type": "SCHEMA",
    "stream": "email_open",
    "schema": {"properties": {"id": {"type": "string"}}},
    "key_properties": ["id"],
}
STATE = {"type": "STATE", "value": {"bookmarks": {"email_open": {"note": "kept@as.is"}}}}


def record(stream: str = "email_open", **fields: Any) -> dict[str, Any]:
    whole = {
        "id": "1",
        "created": "2026-01-01T00:00:00.000Z",
        "type": "OPEN",
        "recipient": "ada@example.com",
        "filteredEvent": False,
        "userAgent": "Firefox",
    }
    return {"type": "RECORD", "stream": stream, "record": whole | fields, "version": 3}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSEUDONYMISE_KEY", "a key of some length")


class Passed(list[dict[str, Any]]):
    """The messages that a mapper passed on before it ended, and why it did."""

    error = ""


def passed(config: dict[str, Any], messages: Sequence[Any]) -> Passed:
    given = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
    lines, error = mapped(config, given)
    result = Passed(map(json.loads, lines))
    result.error = error
    return result


def test_what_is_no_record_passes_in_its_place_as_it_is() -> None:
    other = {"type": "ACTIVATE_VERSION", "stream": "email_open", "version": 1}
    unknown = {"type": "SOMETHING_NEW", "who": "knows@example.com"}
    messages = [SCHEMA, STATE, record(id="1"), other, STATE, record(id="2"), unknown, STATE]

    assert passed({"transforms": ["engagement-only"]}, messages) == messages


def test_transforms_follow_one_another() -> None:
    names = ["engagement-only", "drop-bots", "strip-urls", "pseudonymise"]
    click = record(type="CLICK", url="https://example.com/ada@example.com?x")

    result = passed(
        {"transforms": names},
        [SCHEMA, record(type="SENT"), record(userAgent="Mozilla/5.0"), click, STATE],
    )

    assert [each["type"] for each in result] == ["SCHEMA", "RECORD", "STATE"]
    treated = result[1]["record"]
    assert treated["url"] == f"https://example.com/{treated['recipient']}"
    assert "@" not in json.dumps(treated)


def test_what_cannot_be_treated_is_held_back_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    result = passed(
        {"transforms": ["pseudonymise"]},
        [SCHEMA, record("contacts", created=None), record("contacts", type=None), STATE],
    )

    assert result == [SCHEMA, STATE]
    assert "contacts: 2 held back" in caplog.text


@pytest.mark.parametrize(
    "message",
    [
        {"type": "BATCH", "stream": "email_open", "manifest": ["file:///batches/ada@example.com"]},
        {"type": "RECORD", "stream": "email_open", "record": "ada@example.com"},
        {"type": "RECORD", "stream": "email_open"},
        {"type": "UPSERT", "stream": "email_open", "record": ["ada@example.com"]},
        {"stream": "ada@example.com"},
        ["ada@example.com"],
        b'{"type": "RECORD", "record": {"recipient": "ada@example.com"',
    ],
)
def test_a_line_of_no_known_form_ends_the_run_before_any_state(message: Any) -> None:
    result = passed({"transforms": ["drop-bots"]}, [SCHEMA, record(), message, STATE])

    assert result == [SCHEMA, record()]
    assert "ine 3 of the input" in result.error
    assert "ada@example.com" not in result.error


@pytest.mark.parametrize("number", [b"1.10", b"123456789012345678901234567890"])
def test_numbers_keep_their_digits(number: bytes) -> None:
    line = json.dumps(record(price="PRICE")).encode().replace(b'"PRICE"', number)

    assert b'"price":' + number in mapped({"transforms": ["drop-bots"]}, [line])[0][0]


def test_text_that_is_no_unicode_passes() -> None:
    line = json.dumps(record(subject="\ud83d")).encode()

    assert passed({"transforms": ["drop-bots"]}, [line]) == [record(subject="\ud83d")]


@pytest.mark.parametrize("config", [{}, {"transforms": []}, {"stream_maps": {"__alias__": {}}}])
def test_settings_that_ask_for_nothing_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        passed(config, [SCHEMA])


def test_stream_maps_shape_what_they_name_and_hold_back_the_rest() -> None:
    keys = ["event_type"]
    orders = {"event_type": "'Order'", "__filter__": "id != 'x'", "__else__": None}
    maps = {"orders": {**orders, "__key_properties__": keys}, "__else__": None}
    schema = {**SCHEMA, "stream": "orders"}

    result = passed(
        {"stream_maps": maps},
        [SCHEMA, schema, record(), record("orders"), record("orders", id="x"), STATE],
    )

    assert [each["type"] for each in result] == ["SCHEMA", "RECORD", "STATE"]
    assert result[0]["key_properties"] == keys
    assert result[1]["record"] == {"event_type": "Order"}


def test_a_stream_map_that_fails_ends_the_run() -> None:
    config = {"stream_maps": {"email_open": {"user": "int(recipient)"}}}

    result = passed(config, [SCHEMA, record(), STATE])

    assert [each["type"] for each in result] == ["SCHEMA"]
    assert result.error.startswith(
        "Line 2 of the input: Stream map email_open, field user: the expression "
        "`int(recipient)` fails on a record of email_open"
    )
    assert "ada@example.com" not in result.error


def test_a_record_without_its_schema_ends_the_run_of_stream_maps() -> None:
    assert "without a SCHEMA" in passed({"stream_maps": {"x": None}}, [record()]).error


def test_a_schema_that_the_maps_do_not_fit_ends_the_run() -> None:
    result = passed({"stream_maps": {"email_open": {"__else__": None}}}, [SCHEMA, record()])

    assert result == []
    assert "Line 1 of the input: The setting stream_maps is wrong" in result.error


def test_a_map_that_matched_no_stream_fails_the_run_at_its_end() -> None:
    result = passed({"stream_maps": {"orders": {}}}, [SCHEMA, record(), STATE])

    assert result == [SCHEMA, record(), STATE]
    assert "orders in stream_maps matched no stream of the input" in result.error


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"stream_maps": {"orders": {}, "__else__": None}}, "its stream_maps are for orders"),
        ({"transforms": ["engagement-only"]}, "take it out of the command"),
    ],
)
def test_a_mapping_that_passed_on_nothing_is_warned_of(
    config: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    messages = [SCHEMA, record(type="SENT"), record(type="SENT"), STATE]
    assert STATE in passed(config, messages)
    assert f"passed on none of the 2 records it read (email_open); {words}" in caplog.text

    caplog.clear()
    passed(config, [SCHEMA, STATE])
    assert "passed on none" not in caplog.text


def test_what_json_cannot_carry_ends_the_run_in_a_sentence() -> None:
    result = passed({"stream_maps": {"email_open": {"x": "md5"}}}, [SCHEMA, record(), STATE])

    assert [each["type"] for each in result] == ["SCHEMA"]
    assert (
        "Line 2 of the input becomes by stream maps what cannot be written as JSON (TypeError)"
        in result.error
    )


def test_blank_lines_are_left_out_and_counted() -> None:
    result = passed({"transforms": ["drop-bots"]}, [b"", STATE, b" ", [], STATE])

    assert result == [STATE]
    assert "Line 4 of the input" in result.error


@pytest.mark.parametrize("kind", ["SCHEMA", "STATE", "ACTIVATE_VERSION", "UPSERT"])
def test_a_record_is_treated_whatever_its_message_is_called(kind: str) -> None:
    given = [SCHEMA, record() | {"type": kind}]
    _, treated = passed({"transforms": ["pseudonymise"]}, given)
    assert treated["type"] == kind
    assert "@" not in json.dumps(treated)
    assert passed({"stream_maps": {"email_open": None}}, given) == []
