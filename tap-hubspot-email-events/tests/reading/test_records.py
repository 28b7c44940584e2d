"""Records are HubSpot's events with three changes, each exact."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.reading.records import (
    Identities,
    complete,
    created_times,
    decode_page,
    record_lines,
    without_repeated,
)
from tap_hubspot_email_events.timestamps import format_timestamp, parse_timestamp

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
instants = st.integers(-62_135_596_800_000, 253_402_300_799_999)


@given(instants)
def test_instants_are_written_as_rfc_3339_and_read_back(milliseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    text = format_timestamp(milliseconds)
    assert text == moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    assert parse_timestamp(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "2025-10-09T08:53:20Z",
        "2025-10-09T08:53:20.000Z",
        "2025-10-09T08:53:20.000999Z",
        "2025-10-09t08:53:20z",
        "2025-10-09T08:53:20+00:00",
        "2025-10-09T10:53:20+02:00",
        "2025-10-09T03:23:20-0530",
        "2025-10-09 08:53:20",
        " 2025-10-09T08:53:20 ",
    ],
)
def test_dates_are_read_in_all_their_forms(text: str) -> None:
    assert parse_timestamp(text) == 1_760_000_000_000


def test_a_date_without_a_time_is_its_midnight_in_utc() -> None:
    assert parse_timestamp("1970-01-02") == 86_400_000


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-01", "2025-02-30T00:00:00Z", "20251009"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_timestamp(text)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=5), max_size=5))
def test_every_field_and_value_passes_unharmed(events: list[dict[str, Any]]) -> None:
    body = json.dumps({"events": events}).encode()
    lines = record_lines("email_open", decode_page(body).events, "2026-01-31T00:00:00+00:00")
    messages = [json.loads(line) for line in lines.splitlines()]
    assert [message["record"] for message in messages] == events
    assert all(line.endswith(b"}") for line in lines.split(b"\n")[:-1])
    assert all(
        (message["type"], message["stream"], message["time_extracted"])
        == ("RECORD", "email_open", "2026-01-31T00:00:00+00:00")
        for message in messages
    )


def test_created_becomes_a_date_and_what_is_missing_is_filled_in() -> None:
    answers = iter([4711, 4711])
    events: list[dict[str, Any]] = [
        {"id": "a", "created": 1_760_000_000_000},
        {"id": "b", "created": 1, "type": None, "portalId": None},
        {"id": "c", "created": 2, "type": "NEW", "portalId": 62515, "appId": 0, "browser": {}},
    ]
    complete(events, "UNBOUNCE", lambda: next(answers))
    assert events == [
        {"id": "a", "created": "2025-10-09T08:53:20.000Z", "type": "UNBOUNCE", "portalId": 4711},
        {"id": "b", "created": "1970-01-01T00:00:00.001Z", "type": "UNBOUNCE", "portalId": 4711},
        {
            "id": "c",
            "created": "1970-01-01T00:00:00.002Z",
            "type": "NEW",
            "portalId": 62515,
            "appId": 0,
            "browser": {},
        },
    ]
    assert next(answers, None) is None


def test_events_of_the_page_before_are_not_repeated() -> None:
    last = Identities()
    first = [{"id": "a", "created": 3}, {"id": "b", "created": 2}]
    assert without_repeated(first, created_times(first), last) == first
    shifted = [{"id": "b", "created": 2}, {"id": "b", "created": 1}]
    assert without_repeated(shifted, created_times(shifted), last) == [{"id": "b", "created": 1}]
    repeated = [{"id": "b", "created": 2}, {"id": "b", "created": 2}]
    assert without_repeated(repeated, created_times(repeated), Identities()) == repeated[:1]


@pytest.mark.parametrize("event", [{}, {"created": None}, {"created": "1"}, {"created": True}])
def test_an_event_without_a_time_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        created_times([event])


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b"[]", b"{}", b'{"events":{}}', b'{"events":[']
)
def test_a_body_that_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_page(body)
