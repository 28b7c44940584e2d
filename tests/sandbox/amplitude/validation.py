"""What Amplitude refuses about single events, each with its index."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

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


def examine(events: list[Any], types: dict[str, Any], min_id_length: int) -> Findings:
    """Everything that is wrong with the events of one request, given the types of their keys."""
    findings = Findings()
    for index, event in enumerate(events):
        if type(event) is not dict:
            findings.note(INVALID, "event", index)
            continue
        for name, value in event.items():
            # A null is the same as leaving the key out, but for the time.
            is_given = name in types and (value is not None or name == "time")
            if is_given and not _is_right(value, types[name]):
                findings.note(INVALID, name, index)
        event_type = event.get("event_type")
        if event_type is None or event_type == "":
            findings.note(MISSING, "event_type", index)
        elif type(event_type) is str and event_type in RESERVED_TYPES:
            findings.note(INVALID, "event_type", index)
        _examine_ids(event, index, min_id_length, findings)
    return findings


def _is_right(value: Any, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return False
    return type(value) is not dict or is_sane(value, 1)


def _examine_ids(event: dict[str, Any], index: int, min_id_length: int, findings: Findings) -> None:
    ids = {name: event.get(name) for name in ("user_id", "device_id")}
    nobody = all(value is None for value in ids.values())
    for name, value in ids.items():
        if nobody:
            findings.note(MISSING, name, index)
        elif type(value) is str and value.casefold() in INVALID_IDS:
            findings.note(INVALID, name, index)
        elif type(value) is str and len(value) < min_id_length:
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
