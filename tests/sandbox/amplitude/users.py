"""The table of user properties, which Amplitude keeps in the order events are received; groups."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from sandbox.amplitude.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOCATION = ("country", "region", "city", "dma")
DEVICE = (
    *("platform", "os_name", "os_version", "device_brand", "device_manufacturer"),
    *("device_model", "carrier"),
)
MOST_GROUP_TYPES, MOST_GROUPS = 5, 10
location_of = attrgetter(*LOCATION)
device_of = attrgetter(*DEVICE)
NOWHERE, NO_DEVICE = (None,) * len(LOCATION), (None,) * len(DEVICE)


class Users:
    """Every user seen, and what is known of each."""

    def __init__(self) -> None:
        self.events: dict[str, int] = {}
        self._locations: dict[str, tuple[str | None, ...]] = {}
        self._devices: dict[str, tuple[str | None, ...]] = {}
        self._others: dict[str, dict[str, Any]] = {}

    def see(self, event: Event) -> None:
        """Take one new event into account."""
        user = event.user_id or event.device
        self.events[user] = self.events.get(user, 0) + 1
        if not event.skip_user_properties_sync:
            self._write(user, event)

    def _write(self, user: str, event: Event) -> None:
        # One key of a group resets those of the group that are not set with it.
        location = location_of(event)
        if location != NOWHERE:
            self._locations[user] = location
        device = device_of(event)
        if device != NO_DEVICE:
            self._devices[user] = device
        if event.app_version is not None or event.language is not None:
            single = {"app_version": event.app_version, "language": event.language}
            self._table(user).update({n: value for n, value in single.items() if value is not None})
        if event.user_properties:
            self._merge(self._table(user), event.user_properties)

    def properties(self, user: str) -> dict[str, Any]:
        """The table of one user."""
        groups = (
            (LOCATION, self._locations.get(user, NOWHERE)),
            (DEVICE, self._devices.get(user, NO_DEVICE)),
        )
        table = {
            name: value
            for names, values in groups
            for name, value in zip(names, values, strict=True)
            if value is not None
        }
        return table | self._others.get(user, {})

    def _table(self, user: str) -> dict[str, Any]:
        return self._others.setdefault(user, {})

    def _merge(self, table: dict[str, Any], properties: dict[str, Any]) -> None:
        for name, value in properties.items():
            if name.startswith("$") and isinstance(value, dict):
                self._operate(table, name, value)
            else:
                table[name] = value

    def _operate(self, table: dict[str, Any], operation: str, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if operation == "$set":
                table[name] = value
            elif operation == "$setOnce":
                table.setdefault(name, value)
            elif operation == "$add":
                table[name] = table.get(name, 0) + value
            elif operation == "$unset":
                table.pop(name, None)


class Shown(NamedTuple):
    """An event as charts see it: with the table of its user, and the groups that are tracked."""

    payload: bytes
    user_properties: dict[str, Any]
    groups: dict[str, list[str]]


def shown(events: Iterable[bytes], *, accounts: bool) -> Iterator[Shown]:
    """Each event, in the order of arrival, with what it got from the table when it came.

    One that skips the table shows only what it brought. Without the Accounts add-on there are no
    groups.
    """
    users = Users()
    types: set[str] = set()
    for payload in events:
        event = msgspec.json.decode(payload, type=Event)
        user = event.user_id or event.device
        table = Users() if event.skip_user_properties_sync else users
        table.see(msgspec.structs.replace(event, skip_user_properties_sync=None))
        groups = tracked(event.groups or {}, types) if accounts else {}
        yield Shown(payload, table.properties(user), groups)


def tracked(groups: dict[str, str | list[str]], types: set[str]) -> dict[str, list[str]]:
    """The groups of an event that fit into the limits, given the types a project has so far."""
    left = MOST_GROUPS
    kept = {}
    for name, value in groups.items():
        if left and (name in types or len(types) < MOST_GROUP_TYPES):
            types.add(name)
            kept[name] = [value][:left] if isinstance(value, str) else value[:left]
            left -= len(kept[name])
    return kept
