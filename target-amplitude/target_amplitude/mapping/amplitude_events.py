"""Records that a stream map has made Amplitude events of."""

from __future__ import annotations

from typing import Any

from target_amplitude.mapping.timestamps import to_milliseconds
from target_amplitude.mapping.validation import as_id

EVENT_FIELDS = frozenset(
    (
        "user_id",
        "device_id",
        "event_type",
        "time",
        "insert_id",
        "event_properties",
        "user_properties",
        "groups",
        "group_properties",
        "$skip_user_properties_sync",
        "user_agent",
        "app_version",
        "version_name",
        "platform",
        "os_name",
        "os_version",
        "device_brand",
        "device_manufacturer",
        "device_model",
        "carrier",
        "country",
        "region",
        "city",
        "dma",
        "language",
        "price",
        "quantity",
        "revenue",
        "productId",
        "revenueType",
        "currency",
        "location_lat",
        "location_lng",
        "ip",
        "idfa",
        "idfv",
        "adid",
        "android_id",
        "android_app_set_id",
        "event_id",
        "session_id",
        "plan",
        "ingestion_metadata",
        "partner_id",
        "library",
    ),
)
"""Fields that Amplitude gives a meaning (HTTP V2 API and Amplitude's own libraries)."""

_IDS = ("user_id", "device_id", "insert_id")


def is_amplitude_event(record: dict[str, Any]) -> bool:
    """Whether a record has the fields of an Amplitude event, be its user null."""
    return record.get("event_type") is not None and ("user_id" in record or "device_id" in record)


def normalize_amplitude_event(event: dict[str, Any]) -> None:
    """Put values into the form Amplitude takes and fields it does not know into the properties.

    Whole numbers as ids become their decimal text, whole floats and RFC 3339 text as `time` become
    milliseconds. What cannot be put right stays as it is, for the check to refuse.
    """
    for name in _IDS:
        if name in event and not isinstance(event[name], str):
            event[name] = as_id(event[name]) or event[name]
    if "time" in event:
        time = to_milliseconds(event["time"])
        event["time"] = event["time"] if time is None else time
    own = event.get("event_properties", {})
    if not isinstance(own, dict):
        return
    unknown = [name for name in event if name not in EVENT_FIELDS]
    if unknown:
        event["event_properties"] = {name: event.pop(name) for name in unknown} | own
