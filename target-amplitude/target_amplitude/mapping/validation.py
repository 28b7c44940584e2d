"""Why a record does not become an event: above all what Amplitude refuses."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from target_amplitude.mapping.properties import MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Refusal:
    """The record is rejected.

    Attributes:
        reason: A few fixed words, by which rejects are counted.
        detail: What exactly is wrong; names fields, never quotes their values.
        counted: Whether it counts towards `max_rejected_percent`.
    """

    reason: str
    detail: str = ""
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Skip:
    """A setting leaves the record out."""

    reason: str


NO_MAPPING = Refusal("no mapping", counted=False)
NO_USER = Refusal("no user", "it has neither a value in user_field nor a recipient")
NEVER_A_USER = Refusal("no user", "HubSpot names no recipient in this type", counted=False)

DEFAULT_MIN_ID_LENGTH = 5
"""Amplitude's own minimum for user and device ids unless `options.min_id_length` says otherwise."""

MAX_NAME = 1024

EARLIEST_MS = 946_684_800_000
"""2000-01-01; an earlier time is one in seconds, taken for milliseconds."""

MAX_AHEAD_MS = 366 * 86_400_000

_INVALID_IDS = frozenset(
    (
        "anonymous",
        "nil",
        "none",
        "null",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "",
        "00000000-0000-0000-0000-000000000000",
        "{}",
        "lmy47d",
        "0",
        "-1",
    ),
)
"""Ids Amplitude answers with 400 (HTTP V2 API, device and user id values)."""

_RESERVED_EVENT_TYPES = frozenset(
    (
        "[Amplitude] Start Session",
        "[Amplitude] End Session",
        "[Amplitude] Revenue",
        "[Amplitude] Revenue (Verified)",
        "[Amplitude] Revenue (Unverified)",
        "[Amplitude] Merged User",
    ),
)

INVALID_ID = "invalid id"
INVALID_TIME = "invalid time"
INVALID_EVENT_TYPE = "invalid event type"
INVALID_VALUE = "invalid value"


def as_id(value: Any) -> str:
    """Return a value as an id; empty where it cannot be one."""
    if isinstance(value, str):
        return "" if value.isspace() else value
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return ""


def unusable_type(value: Any) -> str:
    """Return the type of a value that is there and cannot be an id; empty for any other."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float) and not value.is_integer():
        return "number with a fraction" if isfinite(value) else "number that is not finite"
    if isinstance(value, (list, tuple)):
        return "list"
    return "object" if isinstance(value, dict) else ""


def refuse_id(value: Any, field: str, min_length: int) -> Refusal | None:
    """Return why Amplitude would refuse a user or device id, if it would."""
    if not isinstance(value, str):
        return Refusal(INVALID_ID, f"{field} is not a string")
    if "@" in value and min_length <= len(value) <= MAX_NAME:
        return None
    if len(value) < min_length:
        return Refusal(INVALID_ID, f"{field} is shorter than {min_length} characters")
    if len(value) > MAX_NAME:
        return Refusal(INVALID_ID, f"{field} is longer than {MAX_NAME} characters")
    if value.strip().casefold() in _INVALID_IDS:
        return Refusal(INVALID_ID, f"{field} is one of the values Amplitude takes for no id")
    return None


def refuse_time(value: Any, field: str, now: int) -> Refusal | None:
    """Return why a time cannot be sent, if so; `now` is in milliseconds since 1970."""
    if type(value) is not int:
        return Refusal(INVALID_TIME, f"{field} is not an integer of milliseconds since 1970")
    if value < EARLIEST_MS:
        return Refusal(INVALID_TIME, f"{field} is before the year 2000 (seconds, not ms?)")
    if value > now + MAX_AHEAD_MS:
        return Refusal(INVALID_TIME, f"{field} is more than a year ahead")
    return None


def refuse_event_type(value: Any) -> Refusal | None:
    """Return why an event type cannot be sent, if so."""
    if not isinstance(value, str) or not value.strip():
        return Refusal(INVALID_EVENT_TYPE, "event_type is empty or not a string")
    if value in _RESERVED_EVENT_TYPES:
        return Refusal(INVALID_EVENT_TYPE, "event_type is one of Amplitude's own")
    if len(value) > MAX_NAME:
        return Refusal(INVALID_EVENT_TYPE, f"event_type is longer than {MAX_NAME} characters")
    return None


def refuse_amplitude_event(event: dict[str, Any], now: int, min_id_length: int) -> Refusal | None:
    """Return why Amplitude would refuse a record that already is one of its events, if so."""
    refusal = refuse_event_type(event.get("event_type"))
    for field in ("user_id", "device_id"):
        if field in event:
            refusal = refusal or refuse_id(event[field], field, min_id_length)
    if "time" in event:
        refusal = refusal or refuse_time(event["time"], "time", now)
    insert_id = event.get("insert_id")
    if insert_id is not None and (not isinstance(insert_id, str) or len(insert_id) > MAX_NAME):
        refusal = refusal or Refusal(INVALID_VALUE, "insert_id is not a string of 1024 at most")
    for field in ("event_properties", "user_properties", "groups", "group_properties"):
        if field in event and not isinstance(event[field], dict):
            refusal = refusal or Refusal(INVALID_VALUE, f"{field} is not an object")
    return refusal or _refuse_value(event, 0)


def _refuse_value(value: Any, depth: int) -> Refusal | None:
    if isinstance(value, float) and not isfinite(value):
        return Refusal(INVALID_VALUE, "a number is not finite")
    if isinstance(value, (dict, list)):
        if depth > MAX_DEPTH:
            return Refusal(INVALID_VALUE, f"nested deeper than {MAX_DEPTH} levels")
        for item in value.values() if isinstance(value, dict) else value:
            if (refusal := _refuse_value(item, depth + 1)) is not None:
                return refusal
    return None
