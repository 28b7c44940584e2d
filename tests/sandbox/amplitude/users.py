"""The table of user properties, which Amplitude keeps in the order events are received; groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.amplitude.events import Event

# One key of a group resets those of the group that are not set with it.
GROUPS_OF_KEYS = (
    ("country", "region", "city", "dma"),
    (
        *("platform", "os_name", "os_version", "device_brand", "device_manufacturer"),
        *("device_model", "carrier"),
    ),
    ("app_version",),
    ("language",),
)
MOST_GROUP_TYPES, MOST_GROUPS = 5, 10


class Users:
    """Every user seen, and what is known of each."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.properties: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    def see(self, event: Event) -> None:
        """Take one new event into account."""
        user = event.user_id or event.device
        self.events[user] += 1
        if event.skip_user_properties_sync:
            return
        table = self.properties[user]
        for names in GROUPS_OF_KEYS:
            given = {name: value for name in names if (value := getattr(event, name)) is not None}
            if given:
                for name in names:
                    table.pop(name, None)
                table.update(given)
        table.update(event.user_properties or {})


class Shown(NamedTuple):
    """An event as charts see it: with the table of its user, and the groups that are tracked."""

    event: Event
    user_properties: dict[str, Any]
    groups: dict[str, list[str]]


def shown(events: Iterable[Event]) -> Iterator[Shown]:
    """Each event, in the order of arrival, with what it got from the table when it came.

    One that skips the table shows only what it brought.
    """
    users = Users()
    types: set[str] = set()
    for event in events:
        user = event.user_id or event.device
        table = Users() if event.skip_user_properties_sync else users
        table.see(msgspec.structs.replace(event, skip_user_properties_sync=None))
        yield Shown(event, dict(table.properties[user]), tracked(event.groups or {}, types))


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
