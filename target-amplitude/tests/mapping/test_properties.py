from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from loading.mapping import event_of
from loading.messages import email

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


NEVER_SENT = {"ip", "client_upload_time", "session_id", "event_id"}


def is_clean(value: Any) -> bool:
    if isinstance(value, (list, dict)):
        items = value.values() if isinstance(value, dict) else value
        return bool(value) and all(is_clean(item) for item in items)
    return value is not None and value != ""


@given(st.dictionaries(st.text(min_size=1, max_size=12), JSON, max_size=8))
def test_any_field_hubspot_adds_becomes_clean_flat_properties(fields: dict[str, Any]) -> None:
    record = fields | email()
    event = event_of(record)
    properties = event["event_properties"]
    assert not any(isinstance(value, dict) for value in properties.values())
    assert all(is_clean(value) for value in properties.values())
    assert not NEVER_SENT & set(event)
    assert not {"type", "created", "recipient"} & set(properties)
    assert msgspec.json.decode(msgspec.json.encode(event)) == event
    for name, value in record.items():
        if isinstance(value, (int, float)) and name not in event:
            assert properties[name] == value


@given(st.text(max_size=3000))
def test_strings_are_cut_at_1024_characters(text: str) -> None:
    properties = event_of(email(url=text, replyTo=[text], nested={"url": text}))["event_properties"]
    expected = text[:1024] or None
    assert properties.get("url") == properties.get("nested.url") == expected
    assert properties.get("replyTo") == ([expected] if expected else None)


def test_an_empty_field_of_a_dotted_name_hides_no_nested_one() -> None:
    properties = event_of(email(a={"b": 1}) | {"a.b": ""})["event_properties"]
    assert properties["a.b"] == 1
