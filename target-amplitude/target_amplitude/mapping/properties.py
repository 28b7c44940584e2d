"""Flatten records into event properties: no empty values, strings within Amplitude's limit."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_STRING = 1024
"""Characters that Amplitude keeps of a string value (HTTP V2 API, string character limit)."""

MAX_DEPTH = 40
"""Levels of nesting that Amplitude takes (HTTP V2 API, `event_properties`)."""

MAX_PROPERTIES = 1024
"""Keys of an object beyond which Amplitude's own libraries do not send it."""

_MAX_NAMES = 10_000


class UnsendableValueError(ValueError):
    """A value that JSON or Amplitude cannot carry; the message says where it is."""


class Flattener:
    """Flattens records, with a cache of the dotted names."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {}
        self._made = 0

    def flatten(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the event properties of a record.

        Objects become dotted names, lists stay lists. Nulls and empty strings, lists and objects
        are left out at every level.

        Raises:
            UnsendableValueError: For a number JSON cannot carry, or nesting or a number of
                properties beyond Amplitude's limits.
        """
        # Most values stay as they are, and a copy is a third faster than a new dict.
        properties = record.copy()
        objects: list[tuple[str, dict[str, Any]]] = []
        for name, value in record.items():
            kind = type(value)  # text first, as it is the most frequent
            if kind is str and value and len(value) <= MAX_STRING:
                continue
            if kind is int or kind is bool:
                continue
            del properties[name]
            if kind is dict:
                objects.append((name, value))
            elif value is not None and (cleaned := clean(name, value, 1)) is not None:
                properties[name] = cleaned
        for name, value in objects:
            self._flatten_object(name, value, properties, 1)
        if len(properties) > MAX_PROPERTIES:
            raise UnsendableValueError(f"more than {MAX_PROPERTIES} properties")
        return properties

    def _flatten_object(
        self,
        parent: str,
        record: dict[str, Any],
        properties: dict[str, Any],
        depth: int,
    ) -> None:
        if depth >= MAX_DEPTH:
            raise UnsendableValueError(f"nested deeper than {MAX_DEPTH} levels")
        names = self._names.get(parent)
        if names is None:
            names = self._names[parent] = {}
        for child, value in record.items():
            try:
                name = names[child]
            except KeyError:
                name = self._make_name(names, parent, child)
            kind = type(value)
            if kind is str:
                if value:
                    properties[name] = value if len(value) <= MAX_STRING else value[:MAX_STRING]
            elif kind is int or kind is bool:
                properties[name] = value
            elif kind is dict:
                self._flatten_object(name, value, properties, depth + 1)
            elif value is not None and (cleaned := clean(name, value, depth)) is not None:
                properties[name] = cleaned

    def _make_name(self, names: dict[str, str], parent: str, child: str) -> str:
        self._made += 1
        if self._made > _MAX_NAMES:
            self._names.clear()
            self._made = 0
        name = names[child] = f"{parent}.{child}"
        return name


def remove(properties: dict[str, Any], names: Iterable[str]) -> None:
    """Take names out, those that are not there as well."""
    for name in names:
        properties.pop(name, None)


def clean(name: str, value: Any, depth: int) -> Any:
    """Return a value without nulls and empty parts, strings cut; None where nothing is left.

    Raises:
        UnsendableValueError: For a number JSON cannot carry or nesting beyond Amplitude's limit.
    """
    if isinstance(value, float):
        if not isfinite(value):
            raise UnsendableValueError(f"{_shorten(name)} is not a finite number")
        return value
    if isinstance(value, (list, tuple)):
        items = []
        for item in value:
            if type(item) is str:
                if item:
                    items.append(item[:MAX_STRING])
            elif (cleaned := clean(name, item, _deeper(depth))) is not None:
                items.append(cleaned)
        return items or None
    if isinstance(value, str):
        return value[:MAX_STRING] or None
    if isinstance(value, dict):
        fields = {
            key: cleaned
            for key, item in value.items()
            if (cleaned := clean(name, item, _deeper(depth))) is not None
        }
        return fields or None
    return value


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise UnsendableValueError(f"nested deeper than {MAX_DEPTH} levels")
    return depth + 1


def _shorten(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:60]}..."  # noqa: PLR2004
