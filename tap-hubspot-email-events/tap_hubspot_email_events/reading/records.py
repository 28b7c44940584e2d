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


class _Message(msgspec.Struct, tag="RECORD", gc=False):
    """A RECORD message; the SDK's own is written field by field, at many times the cost."""

    stream: str
    record: Record
    time_extracted: str


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
    if not {*map(type, times)} <= {int}:
        raise msgspec.ValidationError("an event whose `created` is no integer")
    return times


class Identities:
    """What tells the events of the last page of a chain apart from others: id and time."""

    __slots__ = ("ids", "times")

    def __init__(self) -> None:
        """Know no page yet."""
        self.ids: list[Any] = []
        self.times: list[int] = []


def without_repeated(events: list[Record], times: list[int], last: Identities) -> list[Record]:
    """Leave out events of the page before, known by `last`, which takes note of this page.

    HubSpot's offset is opaque; were it a position, an event that arrives late while a range is
    being paged through would push the last event of one page onto the next.

    Args:
        events: A page as HubSpot sent it.
        times: Its events' `created`, in milliseconds.
        last: What was noted of the page before.
    """
    ids = [event.get("id") for event in events]
    distinct = set(ids)
    if len(distinct) < len(ids) or not distinct.isdisjoint(last.ids):
        before = set(zip(last.times, last.ids, strict=True))
        keyed = zip(zip(times, ids, strict=True), events, strict=True)
        events = list({key: event for key, event in keyed if key not in before}.values())
    last.ids, last.times = ids, times
    return events


def complete(events: list[Record], event_type: str, portal_id: Callable[[], int]) -> None:
    """Make records of events, in place.

    `created` becomes RFC 3339 in UTC; a missing `type` (UNBOUNCE has none on the wire) and a
    missing `portalId` are filled in.
    """
    texts = format_timestamp.each([event["created"] for event in events])
    for event, text in zip(events, texts, strict=True):
        event["created"] = text
        if event.get("type") is None:
            event["type"] = event_type
        if event.get("portalId") is None:
            event["portalId"] = portal_id()


def record_lines(stream: str, records: list[Record], time_extracted: str) -> bytes:
    """Encode records as lines of Singer RECORD messages."""
    return _encoder.encode_lines([_Message(stream, record, time_extracted) for record in records])
