"""Pages of events are read, and nothing else is."""

from __future__ import annotations

import msgspec
import pytest

from tap_hubspot_email_events.hubspot.events import decode_page


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b"[]", b"{}", b'{"events":{}}', b'{"events":[']
)
def test_a_body_that_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_page(body)
