"""Event properties: flattened, free of empty values, strings within Amplitude's limit."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_STRING = 1024
"""Characters Amplitude keeps of a string value (HTTP V2 API, string character limit)."""

MAX_DEPTH = 40
"""Levels of nesting Amplitude takes (HTTP V2 API, `event_properties`)."""

MAX_PROPERTIES = 1024
"""Amplitude's own libraries send nothing of an object with more keys than this."""

_NAMES_KEPT = 10_000


class UnsendableValueError(ValueError):
    """A value that JSON or Amplitude has no room for; the message names where it stands."""


class Flattener:
    """Turns a record into flat event properties, remembering the dotted names it has made."""

    def __init__(self) -> None:
        """Start with no names made."""
        self._names: dict[tuple[str, str], str] = {}

    def flatten(self, record: dict[str, Any], leave_out: Collection[str]) -> dict[str, Any]:
        """Event properties of a record, without the fields named in `leave_out`.

        Objects become dotted names; lists stay lists. Nulls and empty strings, lists and objects
        vanish at every level.

        Raises:
            UnsendableValueError: For a number JSON cannot carry, or nesting or a number of
                properties beyond Amplitude's limits.
        """
        properties: dict[str, Any] = {}
        for name, value in record.items():
            kind = type(value)
            if value is None or name in leave_out:
                continue
            if kind is str:
                if value:
                    properties[name] = value if len(value) <= MAX_STRING else value[:MAX_STRING]
            elif kind is int or kind is bool:
                properties[name] = value
            elif kind is dict:
                if value:
                    self._nested(name, value, properties, leave_out, 1)
            elif (cleaned := clean(name, value, 1)) is not None:
                properties[name] = cleaned
        if len(properties) > MAX_PROPERTIES:
            raise UnsendableValueError(f"more than {MAX_PROPERTIES} properties")
        return properties

    def _nested(
        self,
        parent: str,
        record: dict[str, Any],
        properties: dict[str, Any],
        leave_out: Collection[str],
        depth: int,
    ) -> None:
        if depth >= MAX_DEPTH:
            raise UnsendableValueError(f"nested deeper than {MAX_DEPTH} levels")
        for child, value in record.items():
            kind = type(value)
            if value is None:
                continue
            name = self._names.get((parent, child)) or self._name(parent, child)
            if name in leave_out:
                continue
            if kind is str:
                if value:
                    properties[name] = value if len(value) <= MAX_STRING else value[:MAX_STRING]
            elif kind is int or kind is bool:
                properties[name] = value
            elif kind is dict:
                self._nested(name, value, properties, leave_out, depth + 1)
            elif (cleaned := clean(name, value, depth)) is not None:
                properties[name] = cleaned

    def _name(self, parent: str, child: str) -> str:
        name = f"{parent}.{child}"
        if len(self._names) >= _NAMES_KEPT:
            self._names.clear()
        self._names[parent, child] = name
        return name


def clean(name: str, value: Any, depth: int) -> Any:
    """A value without nulls and empties, strings cut; None where nothing is left.

    Raises:
        UnsendableValueError: For a number JSON cannot carry or nesting beyond Amplitude's limit.
    """
    if isinstance(value, str):
        return value[:MAX_STRING] or None
    if isinstance(value, float):
        if not isfinite(value):
            raise UnsendableValueError(f"{_shown(name)} is not a finite number")
        return value
    if depth >= MAX_DEPTH:
        raise UnsendableValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, (list, tuple)):
        items = [cleaned for item in value if (cleaned := clean(name, item, depth + 1)) is not None]
        return items or None
    if isinstance(value, dict):
        fields = {
            key: cleaned
            for key, item in value.items()
            if (cleaned := clean(name, item, depth + 1)) is not None
        }
        return fields or None
    return value


def _shown(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:60]}..."  # noqa: PLR2004
