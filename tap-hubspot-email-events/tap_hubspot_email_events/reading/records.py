"""From a page of HubSpot's events to records: three changes only, everything else stays."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.timestamps import EARLIEST, format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_hubspot_email_events.hubspot.events import Event

    Keys = frozenset[tuple[int, str]]

# The last millisecond of the year 9999.
LAST_INSTANT = 253_402_300_799_999
_NUMBER = re.compile(r"(\d{1,15})(?:\.\d*)?", re.ASCII)


def split_valid(events: list[Any], *, latest: int = LAST_INSTANT) -> tuple[list[Event], list[Any]]:
    """Part the events that have an id and a time from the others, which cannot be records.

    Both are put into the form that the schema promises, in place: an `id` that is a number becomes
    text, and a `created` that is text, or a float, whole milliseconds.

    Args:
        events: A page.
        latest: The last instant that can be a `created`, in milliseconds; the first is
            2000-01-01, so a number of seconds is none.

    Returns:
        The events of a page in their order, and what is left out.
    """
    try:
        ids = [event["id"] for event in events]
        times = [event["created"] for event in events]
    except (KeyError, TypeError):
        ids, times = [None], [None]
    if (
        {*map(type, ids)} <= {str}
        and {*map(type, times)} <= {int}
        and "" not in ids
        and (not times or (min(times) >= EARLIEST and max(times) <= latest))
    ):
        return events, []
    good: list[Event] = []
    left_out: list[Any] = []
    for event in events:
        (good if isinstance(event, dict) and _place(event, latest) else left_out).append(event)
    return good, left_out


def _place(event: Event, latest: int) -> bool:
    name, created = event.get("id"), event.get("created")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if isinstance(created, float) and math.isfinite(created):
        created = int(created)
    if isinstance(created, str):
        try:
            text = created.strip()
            number = _NUMBER.fullmatch(text)
            created = int(number[1]) if number else parse_timestamp(text)
        except (ValueError, OverflowError):
            return False
    if not isinstance(name, str) or not name or type(created) is not int:
        return False
    event["id"], event["created"] = name, created
    return EARLIEST <= created <= latest


def split_range(events: list[Event], start: int, end: int) -> tuple[list[Event], list[Event]]:
    """Part the events of a range, both bounds inclusive, from those that lie outside of it."""
    times = [event["created"] for event in events]
    if not times or (min(times) >= start and max(times) <= end):
        return events, []
    inside = [event for event in events if start <= event["created"] <= end]
    return inside, [event for event in events if not start <= event["created"] <= end]


def describe(event: Any) -> str:
    """What an event that was left out can be found by, without personal data."""
    if not isinstance(event, dict):
        return "no object"
    known = [f"{name} {event[name]}" for name in ("id", "created") if event.get(name) is not None]
    return " ".join(known) or "neither id nor created"


def without_repeated(events: list[Event], previous: Keys) -> tuple[list[Event], Keys]:
    """Drop events that the page before had too; returns also what identifies those of this page.

    HubSpot's offset is opaque. If it is a position, an event that arrives late while a range is
    being read pushes the last event of one page onto the next.
    """
    by_key = {(event["created"], event["id"]): event for event in events}
    if len(by_key) < len(events) or not previous.isdisjoint(by_key):
        events = [event for key, event in by_key.items() if key not in previous]
    return events, frozenset(by_key)


def make_records(events: list[Event], event_type: str, portal_id: Callable[[], int]) -> None:
    """Turn events into records, in place.

    `created` becomes RFC 3339 in UTC; a missing `type` (UNBOUNCE events come without) and a
    missing `portalId` are filled in.
    """
    for event in events:
        event["created"] = format_timestamp(event["created"])
        if type(event.get("type")) is not str:
            event["type"] = event_type
        if type(event.get("portalId")) is not int:
            event["portalId"] = portal_id()
