"""From a page of HubSpot's events to lines of Singer records: three changes, the rest stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]


class Page(msgspec.Struct, rename="camel"):
    """An answer of `/email/public/v1/events`."""

    events: list[Record]
    has_more: bool = False
    offset: str | int | None = None


decode_page = msgspec.json.Decoder(Page).decode
_encoder = msgspec.json.Encoder()


def created_times(events: list[Record]) -> list[int]:
    """The events' `created`, in milliseconds.

    Raises:
        msgspec.ValidationError: An event has no such number.
    """
    try:
        times = [event["created"] for event in events]
    except KeyError:
        raise msgspec.ValidationError("an event without `created`") from None
    if not all(type(time) is int for time in times):
        raise msgspec.ValidationError("an event whose `created` is no integer")
    return times


def without_repeated(events: list[Record], seen: set[Any]) -> list[Record]:
    """Leave out events that `seen` holds by created and id, and make `seen` this page's.

    HubSpot's offset is opaque; were it a position, an event that arrives late while a range is
    being paged through would push the last event of one page onto the next.
    """
    keys = [(event["created"], event.get("id")) for event in events]
    if not seen.isdisjoint(keys) or len(set(keys)) < len(keys):
        fresh = {key: event for key, event in zip(keys, events, strict=True) if key not in seen}
        events = list(fresh.values())
    seen.clear()
    seen.update(keys)
    return events


def complete(events: list[Record], event_type: str, portal_id: Callable[[], int]) -> None:
    """Make records of events, in place.

    `created` becomes RFC 3339 in UTC; a missing `type` (UNBOUNCE has none on the wire) and a
    missing `portalId` are filled in.
    """
    for event in events:
        event["created"] = format_timestamp(event["created"])
        if event.get("type") is None:
            event["type"] = event_type
        if event.get("portalId") is None:
            event["portalId"] = portal_id()


def record_lines(stream: str, records: list[Record], time_extracted: str) -> bytes:
    """Encode records as lines of Singer RECORD messages."""
    if not records:
        return b""
    head = b'{"type":"RECORD","stream":' + _encoder.encode(stream) + b',"record":'
    tail = b',"time_extracted":' + _encoder.encode(time_extracted) + b"}\n"
    # JSON holds no raw line feed, so putting the envelope around all lines at once is safe and
    # costs less than an object for each.
    lines = _encoder.encode_lines(records)[:-1]
    return head + lines.replace(b"\n", tail + head) + tail
