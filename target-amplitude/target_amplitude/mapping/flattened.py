"""Undo the flattening of an email event, so that it gives the same event as a nested one.

The SDK's `flattening_enabled` makes of `{"location": {"city": "Paris"}}` a `location__city`, with a
separator of the user's choice. Which one it was is seen in the names of a stream's schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHILDREN = {
    "sentBy": ("id", "created"),
    "obsoletedBy": ("id", "created"),
    "causedBy": ("id", "created"),
    "emailCampaign": ("name", "subject", "type", "contentId"),
    "location": ("city", "state", "country", "latitude", "longitude", "zipcode"),
    "browser": ("name", "family", "producer", "producerUrl", "type", "url", "version"),
}
"""HubSpot's objects in email events, with the fields by which a flattened name is recognised."""

_OBJECTS = frozenset((*_CHILDREN, "contact"))

_LISTS = frozenset(("replyTo", "cc", "bcc", "subscriptions", "version"))
"""HubSpot's lists, which flattening turns into JSON text."""


def find_separator(names: Iterable[str], user_field: str) -> str | None:
    """Return the separator that the names of a schema are flattened with, or None.

    `user_field` adds its own object and field to HubSpot's, where it is a dotted path.
    """
    known = {parent: (parent, fields) for parent, fields in _CHILDREN.items()}
    parent, _, field = user_field.partition(".")
    if field:
        of_parent = known.get(parent, (parent, ()))[1]
        known[parent] = (parent, (*of_parent, field.rpartition(".")[2]))
    for name in names:
        for parent, fields in known.values():
            if not name.startswith(parent):
                continue
            for field in fields:
                separator = name[len(parent) : -len(field)]
                if separator and name.endswith(field) and len(name) > len(parent) + len(field):
                    return separator
    return None


def unflatten(record: dict[str, Any], separator: str, user_field: str) -> dict[str, Any]:
    """Return a flattened email event as HubSpot nests it.

    Names that are no email event's stay as they are, and so does `user_field`.
    """
    nested: dict[str, Any] = {}
    of_user = (user_field, user_field.rpartition(".")[2])
    # A separator with letters may be part of any name, so then only HubSpot's objects are known.
    splits_any = not any(character.isalnum() for character in separator)
    for name, value in record.items():
        parent, found, field = name.partition(separator)
        if not found or not field or name == user_field or not (splits_any or parent in _OBJECTS):
            if nested.get(name) is None:
                nested[name] = _restore(name, value, of_user)
            continue
        if not isinstance(nested.get(parent), dict):
            nested[parent] = {}
        # HubSpot's names of contact properties may themselves hold the separator.
        path = [field] if parent == "contact" or not splits_any else field.split(separator)
        _put(nested[parent], path, _restore(path[-1], value, of_user))
    return nested


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        child = target.setdefault(name, {})
        if not isinstance(child, dict):
            child = target[name] = {}
        target = child
    target[path[-1]] = value


def _restore(name: str, value: Any, of_user: tuple[str, ...]) -> Any:
    """Read the JSON text that flattening makes of lists, and of objects beyond its depth."""
    if isinstance(value, str) and (
        (value.startswith("[") and (name in _LISTS or name in of_user))
        or (value.startswith("{") and (name in _OBJECTS or name in of_user))
    ):
        try:
            return msgspec.json.decode(value)
        except (msgspec.MsgspecError, RecursionError):
            return value
    return value
