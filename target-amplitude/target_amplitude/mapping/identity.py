"""Find the user id of a record."""

from __future__ import annotations

from typing import Any

RECIPIENT = "recipient"


class IdentityRule:
    """Finds the user id in `user_field`, or takes the recipient where that has no value."""

    def __init__(self, user_field: str, *, fall_back_to_recipient: bool) -> None:
        """Take the dotted path of the field, and whether the recipient may take its place."""
        self._field = user_field
        self._path = tuple(user_field.split("."))
        self._falls_back = fall_back_to_recipient

    def identify(self, record: dict[str, Any]) -> tuple[str, str]:
        """Return the user id of a record and its field; both are empty where it has none."""
        value = record.get(self._field)
        if value is None and len(self._path) > 1:
            value = self._walk(record)
        user_id = value if type(value) is str else as_id(value)
        if user_id and not user_id.isspace():
            return user_id, self._field
        if self._falls_back and self._field != RECIPIENT:
            user_id = as_id(record.get(RECIPIENT))
            if user_id:
                return user_id, RECIPIENT
        return "", ""

    def _walk(self, record: dict[str, Any]) -> Any:
        value: Any = record
        for name in self._path:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value


def as_id(value: Any) -> str:
    """Return a value as an id; empty where it cannot be one."""
    if isinstance(value, str):
        return "" if value.isspace() else value
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return ""
