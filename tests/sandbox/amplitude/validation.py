"""What Amplitude refuses about single events, each with its index."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MISSING, INVALID, LENGTH = (
    "events_with_missing_fields",
    "events_with_invalid_fields",
    "events_with_invalid_id_lengths",
)
INVALID_IDS = frozenset(
    (
        *("anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", ""),
        *("00000000-0000-0000-0000-000000000000", "{}", "lmy47d", "0", "-1"),
    )
)
RESERVED_TYPES = frozenset(
    (
        *("[Amplitude] Start Session", "[Amplitude] End Session", "[Amplitude] Revenue"),
        *("[Amplitude] Revenue (Verified)", "[Amplitude] Revenue (Unverified)"),
        "[Amplitude] Merged User",
    )
)
TEXT, WHOLE, NUMBER, OBJECT = (str,), (int,), (int, float), (dict,)
TEXT_KEYS = (
    *("user_id", "device_id", "event_type", "insert_id", "app_version", "platform", "os_name"),
    *("os_version", "device_brand", "device_manufacturer", "device_model", "carrier", "country"),
    *("region", "city", "dma", "language", "productId", "revenueType", "currency", "ip", "idfa"),
    *("idfv", "adid", "android_id", "android_app_set_id", "user_agent", "library", "partner_id"),
)
TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(TEXT_KEYS, TEXT),
    **dict.fromkeys(("time", "event_id", "session_id", "quantity"), WHOLE),
    **dict.fromkeys(("price", "revenue", "location_lat", "location_lng"), NUMBER),
    **dict.fromkeys(("event_properties", "user_properties", "groups"), OBJECT),
    **dict.fromkeys(("group_properties", "plan", "ingestion_metadata"), OBJECT),
    "$skip_user_properties_sync": (bool,),
}
DEEPEST = 40
MOST_WHOLE = 2**63 - 1
MOST_KEYS = 1024


@dataclass
class Findings:
    """Field names and the indexes of the events where they are missing, wrong or too short."""

    maps: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def note(self, kind: str, name: str, index: int) -> None:
        """Remember a finding about one event."""
        self.maps.setdefault(kind, {}).setdefault(name, []).append(index)

    def body(self, style: str) -> dict[str, Any]:
        """The 400 body, with every index or, as newer pages have it, only the first."""
        if LENGTH in self.maps:
            error, kinds = "Invalid id length for user_id or device_id", [LENGTH]
        elif MISSING in self.maps:
            error, kinds = "Request missing required field", [MISSING, INVALID]
        else:
            error, kinds = "Invalid field values on some events", [INVALID]
        shown = {
            kind: {
                name: indexes[:1] if style == "first" else indexes
                for name, indexes in self.maps[kind].items()
            }
            for kind in kinds
            if kind in self.maps
        }
        return {"code": 400, "error": error, **shown}


def examine(events: list[Any], min_id_length: int) -> Findings:
    """Everything that is wrong with the events of one request."""
    findings = Findings()
    for index, event in enumerate(events):
        if type(event) is not dict:
            findings.note(INVALID, "event", index)
            continue
        for name, value in event.items():
            types = TYPES.get(name)
            if types is None:
                continue
            if type(value) not in types:
                # A null is the same as leaving the key out, but for the time.
                if value is not None or name == "time":
                    findings.note(INVALID, name, index)
            elif (
                (types is WHOLE and abs(value) > MOST_WHOLE)
                or (types is OBJECT and not is_sane(value, 1))
                or (name == "groups" and not all(map(_names_groups, value.values())))
            ):
                findings.note(INVALID, name, index)
        _examine_type(event, index, findings)
        _examine_ids(event, index, min_id_length, findings)
    return findings


def _names_groups(value: Any) -> bool:
    return type(value) is str or (
        type(value) is list and all(type(member) is str for member in value)
    )


def _examine_type(event: dict[str, Any], index: int, findings: Findings) -> None:
    event_type = event.get("event_type")
    if event_type is None or event_type == "":
        findings.note(MISSING, "event_type", index)
    elif type(event_type) is str and event_type in RESERVED_TYPES:
        findings.note(INVALID, "event_type", index)


def _examine_ids(event: dict[str, Any], index: int, min_id_length: int, findings: Findings) -> None:
    user, device = event.get("user_id"), event.get("device_id")
    if user is None and device is None:
        findings.note(MISSING, "user_id", index)
        findings.note(MISSING, "device_id", index)
    for name, value in (("user_id", user), ("device_id", device)):
        if type(value) is not str:
            continue
        if value.casefold() in INVALID_IDS:
            findings.note(INVALID, name, index)
        elif len(value) < min_id_length:
            findings.note(LENGTH, name, index)


def is_sane(value: dict[str, Any] | list[Any], depth: int) -> bool:
    """Whether an object is neither too deep nor too wide."""
    if depth > DEEPEST or len(value) > MOST_KEYS:
        return False
    members = value.values() if type(value) is dict else value
    return all(
        is_sane(member, depth + 1)
        for member in members
        if type(member) is dict or type(member) is list
    )
