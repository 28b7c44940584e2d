"""What a record must be for these transforms to know what they are looking at."""

from __future__ import annotations

from typing import Any

from mapper_email_events.errors import UntreatableError

Record = dict[str, Any]


def event_type(record: Record) -> str:
    """HubSpot's type of an email event.

    Raises:
        UntreatableError: The record is no email event, or one without its type.
    """
    kind = record.get("type")
    if (
        not kind
        or not isinstance(kind, str)
        or record.get("id") is None
        or record.get("created") is None
    ):
        raise UntreatableError("no email event")
    return kind
