"""Streams in the order that the README lists them."""

from __future__ import annotations

from tap_hubspot_email_events.common.event_types import in_order


def test_streams_stand_in_hubspots_order_and_others_after_them() -> None:
    came = ["orders", "email_click", "email_sent", "customers", "email_open"]
    assert in_order(came) == ["email_sent", "email_open", "email_click", "orders", "customers"]
    assert in_order([]) == []
