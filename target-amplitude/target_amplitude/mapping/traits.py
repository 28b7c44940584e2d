"""What an event says of its person: user properties and groups, from fields of the record.

Both are looked up among the event properties, so a value has been cleaned by the same rules: no
nulls, no empty text, strings cut at Amplitude's 1,024 characters, numbers that JSON can carry.

Amplitude keeps a table of each user's properties, in which what it receives last wins, whatever
the event's time, and copies it onto the event; with `$skip_user_properties_sync` it does neither
and shows only what the event brings (Data backfill guide). A group belongs to its event alone and
is no part of that table (Set up account-level reporting, HTTP API). Events with groups count as
any others; only with the Accounts add-on are the groups tracked (HTTP V2 API, `groups`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_amplitude.mapping.properties import remove
from target_amplitude.mapping.validation import as_id
from target_amplitude.settings import MAX_GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_amplitude.settings import Settings


class Traits:
    """The user properties and groups that settings name, and which of them records have."""

    def __init__(self, settings: Settings) -> None:
        is_off = settings.user_properties == "off"
        self._properties = () if is_off else tuple(settings.user_property_fields.items())
        self._groups = tuple(settings.group_fields.items())
        self._most_groups = MAX_GROUPS // (len(self._groups) or 1)
        self._unseen_properties = dict(self._properties)
        self._unseen_groups = dict(self._groups)
        self._crowded = 0

    def __bool__(self) -> bool:
        """Whether settings name any."""
        return bool(self._properties or self._groups)

    def add_to(self, event: dict[str, Any], properties: dict[str, Any]) -> None:
        """Add what the event properties of a whole record say to its event."""
        get = properties.get
        found: dict[str, Any] = {}
        for name, field in self._properties:  # loops, as comprehensions take twice as long
            value = get(field)
            if value is not None:
                found[name] = value
        if found:
            event["user_properties"] = found
            if self._unseen_properties:
                remove(self._unseen_properties, found)
        groups: dict[str, str | list[str]] = {}
        for name, field in self._groups:
            value = get(field)
            if value is not None and (group := self._as_group(value)):
                groups[name] = group
        if groups:
            event["groups"] = groups
            if self._unseen_groups:
                remove(self._unseen_groups, groups)

    def _as_group(self, value: Any) -> str | list[str]:
        """Return the text or texts that name a group; empty where the value cannot.

        The types of values are not documented. Amplitude's JavaScript library sends text and lists
        of it, so a whole number becomes text, as in an id.
        """
        if type(value) is not list:
            return as_id(value)
        groups = list(dict.fromkeys(filter(None, map(as_id, value))))
        self._crowded += len(groups) > self._most_groups
        return groups[: self._most_groups]

    def warnings(self, emails: int) -> Iterator[str]:
        """Say what settings named to no avail, in so many email events."""
        for setting, unseen in (
            ("user_property_fields", self._unseen_properties),
            ("group_fields", self._unseen_groups),
        ):
            if unseen and emails:
                yield (
                    f"{setting}: none of {emails:,} email events has a usable value in "
                    f"{', '.join(unseen.values())}; check the "
                    "spelling, and whether the tap reads it (contact_properties) and selects it."
                )
        if self._crowded:
            yield (
                f"{self._crowded:,} lists in group_fields name more groups than fit into the "
                f"{MAX_GROUPS} that Amplitude takes of an event, and are cut to their first "
                f"{self._most_groups}; the event properties hold all of them."
            )
