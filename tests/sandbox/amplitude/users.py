"""The table of user properties, which Amplitude keeps in the order events are received."""

from __future__ import annotations

from typing import Any

LOCATION = ("country", "region", "city", "dma")
DEVICE = (
    *("platform", "os_name", "os_version", "device_brand", "device_manufacturer"),
    *("device_model", "carrier"),
)
SINGLE = ("app_version", "language")
WATCHED = frozenset((*LOCATION, *DEVICE, *SINGLE, "user_properties"))


class Users:
    """Every user seen, and what is known of each."""

    def __init__(self) -> None:
        self.events: dict[str, int] = {}
        self.properties: dict[str, dict[str, Any]] = {}

    def see(self, event: dict[str, Any]) -> None:
        """Take one new event into account."""
        user = event.get("user_id") or event["device_id"]
        self.events[user] = self.events.get(user, 0) + 1
        if event.get("$skip_user_properties_sync") is not True and not WATCHED.isdisjoint(event):
            self._update(self.properties.setdefault(user, {}), event)

    def _update(self, table: dict[str, Any], event: dict[str, Any]) -> None:
        for group in (LOCATION, DEVICE):
            # One key of a group resets those of the group that are not set with it.
            if any(event.get(name) is not None for name in group):
                for name in group:
                    table.pop(name, None)
                    if event.get(name) is not None:
                        table[name] = event[name]
        for name in SINGLE:
            if event.get(name) is not None:
                table[name] = event[name]
        properties = event.get("user_properties") or {}
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
