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


def find_separator(names: Iterable[str], *wanted: str) -> str | None:
    """Return the separator that the names of a schema are flattened with, or None.

    The fields that settings name add their own objects and fields to HubSpot's, where they are
    dotted paths.
    """
    known: dict[str, tuple[str, ...]] = dict(_CHILDREN)
    for path in wanted:
        parent, _, field = path.partition(".")
        if field:
            known[parent] = (*known.get(parent, ()), field.rpartition(".")[2])
    for name in names:
        for parent, fields in known.items():
            if not name.startswith(parent):
                continue
            for field in fields:
                separator = name[len(parent) : -len(field)]
                if separator and name.endswith(field) and len(name) > len(parent) + len(field):
                    return separator
    return None


def unflatten(record: dict[str, Any], separator: str, *wanted: str) -> dict[str, Any]:
    """Return a flattened email event as HubSpot nests it.

    Names that are no email event's stay as they are, and so do the fields that settings name.
    """
    nested: dict[str, Any] = {}
    restored = {*wanted, *(path.rpartition(".")[2] for path in wanted)}
    # A separator with letters may be part of any name, so then only HubSpot's objects are known.
    splits_any = not any(character.isalnum() for character in separator)
    for name, value in record.items():
        parent, found, field = name.partition(separator)
        if not found or not field or name in wanted or not (splits_any or parent in _OBJECTS):
            if nested.get(name) is None:
                nested[name] = _restore(name, value, restored)
            continue
        if not isinstance(nested.get(parent), dict):
            nested[parent] = {}
        # HubSpot's names of contact properties may themselves hold the separator.
        path = [field] if parent == "contact" or not splits_any else field.split(separator)
        _put(nested[parent], path, _restore(path[-1], value, restored))
    return nested


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        child = target.setdefault(name, {})
        if not isinstance(child, dict):
            child = target[name] = {}
        target = child
    target[path[-1]] = value


def _restore(name: str, value: Any, wanted: set[str]) -> Any:
    """Read the JSON text that flattening makes of lists, and of objects beyond its depth."""
    if isinstance(value, str) and (
        (value.startswith("[") and (name in _LISTS or name in wanted))
        or (value.startswith("{") and (name in _OBJECTS or name in wanted))
    ):
        try:
            return msgspec.json.decode(value)
        except (msgspec.MsgspecError, RecursionError):
            return value
    return value
