"""Make the tracking plan of a configuration: its events, their names and meanings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_amplitude.common.event_types import SELECTED_BY_DEFAULT
from target_amplitude.mapping.events import EventMapper
from target_amplitude.taxonomy.properties import properties_of, user_properties_of

if TYPE_CHECKING:
    from target_amplitude.settings import Settings
    from target_amplitude.taxonomy.properties import PlannedProperty

CATEGORY = "HubSpot"

EVENT_TYPES: dict[str, tuple[str, str]] = {
    "SENT": (
        "Email Sent",
        "HubSpot handed the email to the mail delivery service.",
    ),
    "DROPPED": (
        "Email Dropped",
        "The email was held back before it left; dropReason says why. It is not tried again.",
    ),
    "PROCESSED": (
        "Email Processed",
        "The mail delivery service took the email on and will try to deliver it.",
    ),
    "DELIVERED": (
        "Email Delivered",
        "The recipient's mail server accepted the email.",
    ),
    "DEFERRED": (
        "Email Deferred",
        "The recipient's mail server turned the email away for now; delivery is tried again.",
    ),
    "BOUNCE": (
        "Email Bounced",
        "The recipient's mail server turned the email away for good; category says why.",
    ),
    "OPEN": (
        "Email Opened",
        "The email was opened, by a person or by a mail service that loads images for them.",
    ),
    "CLICK": (
        "Email Clicked",
        "A link in the email was followed; url says which.",
    ),
    "STATUSCHANGE": (
        "Email Subscription Changed",
        "The recipient's email subscriptions changed, by their own choice or by somebody else's.",
    ),
    "SPAMREPORT": (
        "Email Reported as Spam",
        "The recipient marked the email as spam.",
    ),
    "FORWARD": ("Email Forwarded", "The recipient passed the email on."),
    "PRINT": ("Email Printed", "The recipient printed the email."),
    "REPLY": ("Email Replied", "The recipient answered the email."),
    "UNSUBSCRIBED": ("Email Unsubscribed", "The recipient unsubscribed."),
    "SUPPRESSED": (
        "Email Suppressed",
        "HubSpot did not send the email, to protect the sender; suppressedReason says why.",
    ),
    "MTA_DROPPED": (
        "Email Dropped by Mail Server",
        "The sending mail server gave the email up.",
    ),
}
"""Display names and meanings of HubSpot's email event types, after its reference of the API.

UNBOUNCE has no recipient, so it is never sent.
"""


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event as Amplitude shows it; `event_type` is the name it is sent under."""

    event_type: str
    display_name: str
    description: str
    properties: tuple[PlannedProperty, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to register; `properties` has each property of the events once."""

    events: tuple[PlannedEvent, ...]
    properties: tuple[PlannedProperty, ...]
    user_properties: tuple[PlannedProperty, ...] = ()


def make_plan(settings: Settings, *, every_type: bool = False) -> Plan:
    """Make the plan of these settings.

    It has the ten types that are selected by default and those that `event_types` renames or,
    with `every_type`, all known ones. Types renamed to one name are one event.
    """
    mapper = EventMapper(settings)
    events: dict[str, PlannedEvent] = {}
    for kind, (display_name, description) in EVENT_TYPES.items():
        if not (every_type or kind in SELECTED_BY_DEFAULT or kind in settings.event_types):
            continue
        event_type = mapper.event_type(kind)
        if isinstance(event_type, str) and event_type not in events:
            events[event_type] = PlannedEvent(
                event_type,
                display_name,
                description,
                properties_of(kind, settings.user_field),
            )
    used = dict.fromkeys(planned for event in events.values() for planned in event.properties)
    fields = {} if settings.user_properties == "off" else settings.user_property_fields
    return Plan(tuple(events.values()), tuple(used), user_properties_of(fields))
