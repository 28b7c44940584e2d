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
    """One page of `EVENTS_PATH`; its events are objects, but for HubSpot's mistakes."""

    events: list[Any]
    has_more: bool = False
    offset: str | int | None = None


decode_page = msgspec.json.Decoder(Page).decode


def fetch_page(  # noqa: PLR0913 - HubSpot's parameters
    client: HubSpotClient,
    event_type: str,
    start: int | None,
    end: int,
    count: RequestCount,
    *,
    limit: int,
    offset: str | None,
    exclude_filtered: bool,
) -> Page:
    """Fetch one page of the events between two instants, both inclusive, in milliseconds.

    `exclude_filtered` leaves out what HubSpot calls bots. Raises what `client.get` does.
    """
    params: dict[str, Any] = {"eventType": event_type, "endTimestamp": end, "limit": limit}
    if start is not None:
        # HubSpot fails with status 500 when asked for the epoch itself.
        params["startTimestamp"] = max(1, start)
    if offset is not None:
        params["offset"] = offset
    if exclude_filtered:
        params["excludeFilteredEvents"] = "true"
    return client.get(EVENTS_PATH, params, decode_page, count)
