"""Events as Amplitude reads them; what does not decode to one is examined by ``validation``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from sandbox.amplitude.validation import (
    INVALID_IDS,
    MOST_KEYS,
    MOST_WHOLE,
    RESERVED_TYPES,
    is_sane,
)

Whole = Annotated[int, msgspec.Meta(ge=-MOST_WHOLE, le=MOST_WHOLE)]

NOTHING = msgspec.Raw(b"null")
# An object of so many bytes cannot have too many keys: each takes at least `"":1,`.
FEW_KEYS = MOST_KEYS * 5


class Event(
    msgspec.Struct,
    rename={
        "product_id": "productId",
        "revenue_type": "revenueType",
        "receipt_signature": "receiptSig",
        "skip_user_properties_sync": "$skip_user_properties_sync",
    },
    omit_defaults=True,
):
    """One event; a null is the same as leaving a key out, but for the time."""

    event_type: str
    user_id: str | None = None
    device_id: str | None = None
    time: Whole | msgspec.UnsetType = msgspec.UNSET
    insert_id: str | None = None
    event_id: Whole | None = None
    session_id: Whole | None = None
    event_properties: msgspec.Raw = NOTHING
    user_properties: dict[str, object] | None = None
    groups: dict[str, str | list[str]] | None = None
    group_properties: dict[str, object] | None = None
    plan: dict[str, object] | None = None
    ingestion_metadata: dict[str, object] | None = None
    skip_user_properties_sync: bool | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    dma: str | None = None
    platform: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    device_brand: str | None = None
    device_manufacturer: str | None = None
    device_model: str | None = None
    carrier: str | None = None
    app_version: str | None = None
    language: str | None = None
    price: float | None = None
    quantity: Whole | None = None
    revenue: float | None = None
    product_id: str | None = None
    revenue_type: str | None = None
    currency: str | None = None
    location_lat: float | None = None
    location_lng: float | None = None
    ip: str | None = None
    idfa: str | None = None
    idfv: str | None = None
    adid: str | None = None
    android_id: str | None = None
    android_app_set_id: str | None = None
    user_agent: str | None = None
    library: str | None = None
    partner_id: str | None = None

    @property
    def device(self) -> str:
        """The device; where the event has none, one that stands for its user."""
        return f"user {self.user_id}" if self.device_id is None else self.device_id


TYPES: dict[str, Any] = {
    field.encode_name: field.type for field in msgspec.structs.fields(Event)
} | {"event_properties": dict[str, object]}
"""What the value of each key has to be; of properties, `Event` does not look into the values."""


def are_valid(events: list[Event], min_id_length: int) -> bool:
    """Whether ids, types, times and properties of all events are such as Amplitude takes."""
    types = {event.event_type for event in events}
    users = {event.user_id for event in events}
    devices = {event.device_id for event in events}
    if "" in types or not types.isdisjoint(RESERVED_TYPES):
        return False
    if None in users and any(e.user_id is None and e.device_id is None for e in events):
        return False
    ids = [value for value in users | devices if value is not None]
    if min(map(len, ids)) < min_id_length or not INVALID_IDS.isdisjoint(map(str.casefold, ids)):
        return False
    return have_sane_objects(events)


def have_sane_objects(events: list[Event]) -> bool:
    """Whether the objects of all events are objects, and neither too deep nor too wide."""
    properties = [bytes(event.event_properties) for event in events]
    if not {each[:1] for each in properties} <= {b"{", b"n"}:
        return False
    # Most have nothing within the object but values and a list.
    intricate = [
        event
        for event, each in zip(events, properties, strict=True)
        if each.rfind(b"{") > 0 or each.find(b"[") != each.rfind(b"[") or len(each) > FEW_KEYS
    ]
    intricate += [e for e in events if e.user_properties or e.groups or e.group_properties]
    objects = [msgspec.json.decode(event.event_properties) for event in intricate]
    for event in intricate:
        objects += [event.user_properties, event.groups, event.group_properties]
    return all(is_sane(each, 1) for each in objects if each)
