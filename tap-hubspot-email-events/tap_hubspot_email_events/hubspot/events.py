"""The events endpoint: pages of events of one type in a time range, newest first."""

from __future__ import annotations

from typing import Any

import msgspec

EVENTS_PATH = "/email/public/v1/events"

Event = dict[str, Any]
"""An event with HubSpot's own field names and values."""


class Page(msgspec.Struct, rename="camel"):
    """One page of `EVENTS_PATH`; its events are objects, but for HubSpot's mistakes."""

    events: list[Any]
    has_more: bool = False
    offset: str | int | None = None


decode_page = msgspec.json.Decoder(Page).decode
