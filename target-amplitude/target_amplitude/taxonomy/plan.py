"""A tracking plan: names and meanings of the events that a configuration sends, pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_amplitude.mapping import EventMapper
from target_amplitude.taxonomy.event_types import EVENT_TYPES, SENT_BY_DEFAULT
from target_amplitude.taxonomy.properties import PROPERTIES, PROPERTIES_OF_TYPE, RECIPIENT

if TYPE_CHECKING:
    from target_amplitude.settings import Settings
    from target_amplitude.taxonomy.properties import PlannedProperty

CATEGORY = "HubSpot"


class PlannedEvent(msgspec.Struct, frozen=True):
    """An event as people read of it in Amplitude; `event_type` is the name it is sent under."""

    event_type: str
    display_name: str
    description: str
    properties: tuple[PlannedProperty, ...]


class Plan(msgspec.Struct, frozen=True):
    """Everything to register; `properties` has each property of the events once."""

    category: str
    events: tuple[PlannedEvent, ...]
    properties: tuple[PlannedProperty, ...]


def make_plan(settings: Settings, *, every_type: bool = False) -> Plan:
    """The plan of these settings.

    It has the ten types that are read by default and those that `event_types` renames, or, with
    `every_type`, all that are known. Types renamed to one name are one event.
    """
    mapper = EventMapper(settings)
    events: dict[str, PlannedEvent] = {}
    for kind, (display_name, description) in EVENT_TYPES.items():
        if not (every_type or kind in SENT_BY_DEFAULT or kind in settings.event_types):
            continue
        event_type = mapper.event_type(kind)
        if isinstance(event_type, str) and event_type not in events:
            events[event_type] = PlannedEvent(
                event_type,
                display_name,
                description,
                properties_of(kind, settings.user_field),
            )
    used = {planned.name for event in events.values() for planned in event.properties}
    known = [PROPERTIES[name] for name in PROPERTIES if name in used]
    return Plan(CATEGORY, tuple(events.values()), tuple(known))


def properties_of(kind: str, user_field: str) -> tuple[PlannedProperty, ...]:
    """Properties of a HubSpot event type; the field the user id comes from is none of them."""
    names = (RECIPIENT, *PROPERTIES_OF_TYPE[kind])
    return tuple(PROPERTIES[name] for name in names if name != user_field)
