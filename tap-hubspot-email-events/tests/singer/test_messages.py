"""RECORD messages hold HubSpot's values unchanged."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.hubspot.events import decode_page
from tap_hubspot_email_events.singer.writer import record_lines

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


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
