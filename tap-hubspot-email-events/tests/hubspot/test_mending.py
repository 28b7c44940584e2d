"""An answer with broken characters is read all the same, and anything else is not."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.hubspot.mending import mend

NESTED = json.loads("[" * 96 + "null" + "]" * 96)
EVENT = b'{"events":[{"id":"good"},{"id":"odd","subject":%b}],"hasMore":false}'


def mended(subject: bytes) -> tuple[Any, list[Any]]:
    """What becomes of a subject, and the ids of the events said to be broken."""
    result = mend(EVENT % subject)
    assert result is not None
    return msgspec.json.decode(result.body)["events"][1]["subject"], result.events


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"a \udc00\ud83d b"', "a \ufffd\ufffd b"),
        (rb'"\ud83d\ude00 \ud83d"', "\U0001f600 \ufffd"),
        (rb'"\\ud83d \ud83d"', "\\ud83d \ufffd"),
        (b'"caf\xe9"', "caf\ufffd"),
        (b'"\xff\xfe"', "\ufffd\ufffd"),
        (b'"a\tb"', "a\tb"),
        (b'"a\x00\x1fb"', "a\x00\x1fb"),
        (b"NaN", None),
        (b"-Infinity", None),
        (b"1e999", None),
        (b"1" * 5000, None),
        (b"[1" + b"0" * 30 + b", NaN]", [10**30, None]),
        # Of 100 levels, the answer, its list of events, the event and this object are four.
        (b'{"a": ' + b"[" * 3000 + b"]" * 3000 + b"}", {"a": NESTED}),
        (b'{"\\ud83d": [NaN, "\xe9"]}', {"\ufffd": [None, "\ufffd"]}),
    ],
)
def test_a_broken_character_costs_only_itself(subject: bytes, value: Any) -> None:
    assert mended(subject) == (value, ["odd"])


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"events":[{"id":"a"', b'{"a": \xe9}', b"[" * 100_000, b'"a" "b"']
)
def test_what_is_no_json_is_not_mended(body: bytes) -> None:
    assert mend(body) is None


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    result = mend(b'\xef\xbb\xbf{"events":[]}')
    assert result is not None
    assert msgspec.json.decode(result.body) == {"events": []}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_is_whole_is_not_changed(content: Any) -> None:
    body = msgspec.json.encode({"events": [{"id": "a", "x": content}]})
    result = mend(body)
    assert result is not None
    assert msgspec.json.decode(result.body) == msgspec.json.decode(body)


@given(st.binary())
def test_any_bytes_within_a_text_are_read(content: bytes) -> None:
    quoted = content.replace(b"\\", b"").replace(b'"', b"")
    assert isinstance(mended(b'"' + quoted + b'"')[0], str)
