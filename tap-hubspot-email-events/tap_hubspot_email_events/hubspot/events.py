"""The events endpoint: pages of events of one type in a time range, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tap_hubspot_email_events.hubspot.client import HubSpotClient, RequestCount

EVENTS_PATH = "/email/public/v1/events"

Event = dict[str, Any]
"""An event with HubSpot's own field names and values."""


class Page(msgspec.Struct, rename="camel"):
    """One page of `EVENTS_PATH`."""

    # Objects, but for what HubSpot may send by mistake.
    events: list[Any]
    has_more: bool = False
    offset: str | int | None = None


decode_page = msgspec.json.Decoder(Page).decode


class Events:
    """Reads pages of events; safe to share by threads."""

    def __init__(self, client: HubSpotClient, *, page_size: int, exclude_filtered: bool) -> None:
        """Request `page_size` events at once; `exclude_filtered` drops those HubSpot calls bots."""
        self._client = client
        self._params: dict[str, Any] = {"limit": page_size}
        if exclude_filtered:
            self._params["excludeFilteredEvents"] = "true"

    def page(
        self, event_type: str, start: int, end: int, offset: str | None, count: RequestCount
    ) -> Page:
        """Fetch one page of the events between two instants, both inclusive, in milliseconds.

        Raises:
            TapError: HubSpot does not answer.
            StoppedError: The run ended first.
        """
        params = {
            **self._params,
            "eventType": event_type,
            # HubSpot fails with status 500 when asked for the epoch itself.
            "startTimestamp": max(1, start),
            "endTimestamp": end,
        }
        if offset is not None:
            params["offset"] = offset
        return self._client.get(EVENTS_PATH, params, decode_page, count)
