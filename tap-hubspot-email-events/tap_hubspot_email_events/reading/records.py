"""From a page of HubSpot's events to records: three changes only, everything else stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_hubspot_email_events.hubspot.events import Event


def created_times(events: list[Event]) -> list[int]:
    """The events' `created`, in milliseconds.

    Raises:
        msgspec.ValidationError: An event has no such number.
    """
    try:
        times = [event["created"] for event in events]
    except KeyError:
        raise msgspec.ValidationError("an event without `created`") from None
    if not {*map(type, times)} <= {int}:
        raise msgspec.ValidationError("an event whose `created` is no integer")
    return times


class PreviousPage:
    """The ids and times that identify the events of the previous page of a part."""

    __slots__ = ("ids", "times")

    def __init__(self) -> None:
        """Start before the first page."""
        self.ids: list[Any] = []
        self.times: list[int] = []


def without_repeated(events: list[Event], times: list[int], previous: PreviousPage) -> list[Event]:
    """Drop events that the previous page had too, and make this page the previous one.

    HubSpot's offset is opaque. If it is a position, an event that arrives late while a range is
    being read pushes the last event of one page onto the next.

    Args:
        events: A page as HubSpot sent it.
        times: Its events' `created`, in milliseconds.
        previous: The page before.
    """
    ids = [event.get("id") for event in events]
    distinct = set(ids)
    if len(distinct) < len(ids) or not distinct.isdisjoint(previous.ids):
        before = set(zip(previous.times, previous.ids, strict=True))
        keyed = zip(zip(times, ids, strict=True), events, strict=True)
        events = list({key: event for key, event in keyed if key not in before}.values())
    previous.ids, previous.times = ids, times
    return events


def complete(events: list[Event], event_type: str, portal_id: Callable[[], int]) -> None:
    """Turn events into records, in place.

    `created` becomes RFC 3339 in UTC; a missing `type` (UNBOUNCE events come without) and a
    missing `portalId` are filled in.
    """
    texts = format_timestamp.each([event["created"] for event in events])
    for event, text in zip(events, texts, strict=True):
        event["created"] = text
        if event.get("type") is None:
            event["type"] = event_type
        if event.get("portalId") is None:
            event["portalId"] = portal_id()
