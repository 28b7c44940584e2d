"""Events as Amplitude reads them; what does not decode to one is examined by ``validation``."""

from __future__ import annotations

import msgspec

from sandbox.amplitude.validation import (
    DEEPEST,
    INVALID_IDS,
    MOST_KEYS,
    MOST_WHOLE,
    RESERVED_TYPES,
    is_sane,
)

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
    time: int | msgspec.UnsetType = msgspec.UNSET
    insert_id: str | None = None
    event_id: int | None = None
    session_id: int | None = None
    event_properties: msgspec.Raw = NOTHING
    user_properties: dict[str, object] | None = None
    groups: dict[str, object] | None = None
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
    quantity: int | None = None
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

    def is_valid(self, min_id_length: int) -> bool:
        """Whether ids, type and properties are such as Amplitude takes."""
        ids = [value for value in (self.user_id, self.device_id) if value is not None]
        if not ids or not self.event_type or self.event_type in RESERVED_TYPES:
            return False
        for value in ids:
            if len(value) < min_id_length or value.casefold() in INVALID_IDS:
                return False
        time = self.time
        return (time is msgspec.UNSET or abs(time) <= MOST_WHOLE) and self._has_sane_objects()

    def _has_sane_objects(self) -> bool:
        properties = bytes(self.event_properties)
        if properties != b"null" and not properties.startswith(b"{"):
            return False
        if len(properties) > FEW_KEYS or properties.count(b"{") + properties.count(b"[") > DEEPEST:
            return is_sane(msgspec.json.decode(properties), 1)
        if self.user_properties or self.groups or self.group_properties:
            others = (self.user_properties, self.groups, self.group_properties)
            return all(value is None or is_sane(value, 1) for value in others)
        return True


class Upload(msgspec.Struct):
    """A request's events."""

    events: list[Event]


DECODER = msgspec.json.Decoder(Upload)


def read_events(body: bytes, min_id_length: int) -> list[Event] | None:
    """The events of a body where every one of them is right, else None."""
    try:
        events = DECODER.decode(body).events
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return events if all(event.is_valid(min_id_length) for event in events) else None
