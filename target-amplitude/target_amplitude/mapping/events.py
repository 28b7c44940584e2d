"""Map a record to an event."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from target_amplitude import LIBRARY
from target_amplitude.mapping.amplitude_events import (
    is_amplitude_event,
    normalize_amplitude_event,
)
from target_amplitude.mapping.properties import (
    MAX_STRING,
    Flattener,
    UnsendableValueError,
    remove,
)
from target_amplitude.mapping.timestamps import to_milliseconds
from target_amplitude.mapping.traits import Traits
from target_amplitude.mapping.user_agent import read_user_agent
from target_amplitude.mapping.validation import (
    DEFAULT_MIN_ID_LENGTH,
    INVALID_TIME,
    INVALID_VALUE,
    MAX_NAME,
    NEVER_A_USER,
    NO_MAPPING,
    NO_USER,
    Refusal,
    Skip,
    as_id,
    refuse_amplitude_event,
    refuse_event_type,
    refuse_id,
    refuse_time,
    unusable_type,
)

if TYPE_CHECKING:
    from target_amplitude.settings import Settings

SKIP_SYNC = "$skip_user_properties_sync"
UNKNOWN_USER = Skip("no value in user_field")
UNUSABLE_USER = Skip("not a usable id in user_field")

_RECIPIENT = "recipient"
_RECENT_MS = 86_400_000
_MAX_TYPES = 1000

_EMAIL_NAMES = {"STATUSCHANGE": "STATUS_CHANGE", "SPAMREPORT": "SPAM_REPORT"}
"""The two types for which Amplitude's own HubSpot source changes more than the prefix."""

_SINGER_METADATA = frozenset(
    (
        "_sdc_extracted_at",
        "_sdc_received_at",
        "_sdc_batched_at",
        "_sdc_deleted_at",
        "_sdc_sequence",
        "_sdc_table_version",
        "_sdc_sync_started_at",
    ),
)

_UNKNOWN = frozenset(("", "Unknown", "unknown", "UNKNOWN"))

_PLACES = (("city", "city"), ("region", "state"), ("country", "country"))


class EventMapper:
    """Maps records to events by the settings; the same record always gives the same event.

    Attributes:
        fell_back: Whether the last event has the recipient as its user, for want of `user_field`.
        unusable: The type of what `user_field` holds in the last record, where that is no id.
        traits: The user properties and groups that settings name.
    """

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.event_type_prefix
        self._names = settings.event_types
        self._falls_back = settings.unknown_users == "recipient"
        self.fell_back = False
        self.unusable = ""
        self._user_field = settings.user_field
        self._user_path = settings.user_field.split(".")
        self._mode = settings.user_properties
        self.traits = Traits(settings)
        self._has_traits = bool(self.traits)
        self._min_id_length = settings.min_id_length or DEFAULT_MIN_ID_LENGTH
        self._flattener = Flattener()
        self._event_types: dict[str, str | Refusal] = {}

    def map(self, record: dict[str, Any], now: int) -> dict[str, Any] | Refusal | Skip:
        """Return the event of a record, or why there is none; `now` is in ms since 1970."""
        self.fell_back = False
        self.unusable = ""
        get = record.get
        if get("event_type") is not None and is_amplitude_event(record):
            return self._check_amplitude_event(record, now)
        kind = get("type")
        created = get("created")
        if not kind or type(kind) is not str or created is None or get("id") is None:
            return NO_MAPPING
        if not get("recipient") and get("portalId") is None:
            return NO_MAPPING
        event_type = self._event_types.get(kind) or self.event_type(kind)
        if type(event_type) is not str:
            return event_type  # type: ignore[return-value]
        time = to_milliseconds(created)
        if time is None:
            return Refusal(INVALID_TIME, "created is neither RFC 3339 text nor milliseconds")
        return self._email(record, event_type, time, now)

    def event_type(self, kind: str) -> str | Refusal:
        """Return the name in Amplitude of a HubSpot event type."""
        known = self._event_types.get(kind)
        if known is None:
            name = self._names.get(kind)
            if name is None:
                name = f"{self._prefix}EMAIL_{_EMAIL_NAMES.get(kind, kind)}"
            known = refuse_event_type(name) or name
            if len(self._event_types) < _MAX_TYPES:
                self._event_types[kind] = known
        return known

    def _email(
        self,
        record: dict[str, Any],
        event_type: str,
        time: int,
        now: int,
    ) -> dict[str, Any] | Refusal | Skip:
        found = self._find_user(record, time, now)
        if not isinstance(found, tuple):
            return found
        user_id, user_field = found
        try:
            properties = self._flattener.flatten(record)
        except UnsendableValueError as unsendable:
            return Refusal(INVALID_VALUE, str(unsendable))
        event: dict[str, Any] = {
            "event_type": event_type,
            "user_id": user_id,
            "time": time,
            "insert_id": insert_id(record.get("portalId"), time, record["id"]),
            "event_properties": properties,
            "library": LIBRARY,
        }
        if self._has_traits:
            self.traits.add_to(event, properties)
        del properties["type"]
        properties.pop("created", None)
        properties.pop(user_field, None)
        if not properties.keys().isdisjoint(_SINGER_METADATA):
            remove(properties, _SINGER_METADATA)
        if self._mode != "off":
            if "userAgent" in record or "location" in record:
                _describe_user(event, record)
            if self._mode == "never" or (self._mode == "recent" and now - time > _RECENT_MS):
                event[SKIP_SYNC] = True
        return event

    def _find_user(
        self,
        record: dict[str, Any],
        time: int,
        now: int,
    ) -> tuple[str, str] | Refusal | Skip:
        user_id, user_field = self._identify(record)
        self.fell_back = user_field != self._user_field
        if not user_id:
            if record["type"] == "UNBOUNCE":
                return NEVER_A_USER
            if not self._falls_back:
                return UNUSABLE_USER if self.unusable else UNKNOWN_USER
            return (
                Refusal("no user", f"user_field holds no usable id ({self.unusable})")
                if self.unusable
                else NO_USER
            )
        return (
            refuse_time(time, "created", now)
            or refuse_id(user_id, user_field, self._min_id_length)
            or (user_id, user_field)
        )

    def _identify(self, record: dict[str, Any]) -> tuple[str, str]:
        """Return the user id of a record and its field; both are empty where it has none."""
        value = record.get(self._user_field)
        if value is None:
            value = _walk(record, self._user_path)
        if user_id := as_id(value):
            return user_id, self._user_field
        self.unusable = unusable_type(value)
        if self._falls_back and (recipient := as_id(record.get(_RECIPIENT))):
            return recipient, _RECIPIENT
        return "", ""

    def _check_amplitude_event(self, record: dict[str, Any], now: int) -> dict[str, Any] | Refusal:
        event = {
            name: value
            for name, value in record.items()
            if value is not None and name not in _SINGER_METADATA
        }
        if "user_id" not in event and "device_id" not in event:
            return NO_USER
        normalize_amplitude_event(event)
        refusal = refuse_amplitude_event(event, now, self._min_id_length)
        if refusal is not None:
            return refusal
        event.setdefault("library", LIBRARY)
        return event


def _walk(record: dict[str, Any], path: list[str]) -> Any:
    value: Any = record
    for name in path:
        if not isinstance(value, dict):
            return value if isinstance(value, list) else None
        value = value.get(name)
    return value


def insert_id(portal: Any, time: int, identifier: Any) -> str:
    """Return the id by which Amplitude recognises an event that it already has.

    HubSpot identifies an event by `created` and `id`; the portal tells accounts apart.
    """
    whole = f"hubspot:{portal if type(portal) is int else as_id(portal)}:{time}:{identifier}"
    return (
        whole
        if len(whole) < MAX_NAME
        else f"hubspot:{sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()}"
    )


def _describe_user(event: dict[str, Any], record: dict[str, Any]) -> None:
    agent = record.get("userAgent")
    if type(agent) is str and agent:
        client = read_user_agent(agent)
        if client.is_proxy:
            return
        if client.os_name:
            event["os_name"] = client.os_name
            if client.os_version:
                event["os_version"] = client.os_version
    location = record.get("location")
    if type(location) is dict and location:
        for key, field in _PLACES:
            place = location.get(field)
            if type(place) is str and place not in _UNKNOWN and not place.isspace():
                event[key] = place[:MAX_STRING]
