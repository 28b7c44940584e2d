"""Singer messages and HubSpot records for tests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
OPEN = "[HubSpot] EMAIL_OPEN"
"""What the records made here become."""


def schema(stream: str = "email_open", keys: tuple[str, ...] = ("id",)) -> dict[str, Any]:
    """A SCHEMA message."""
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
        "key_properties": list(keys),
    }


def email(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A HubSpot email event."""
    created = START + timedelta(seconds=number)
    record = {
        "id": f"event-{number}",
        "created": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "type": "OPEN",
        "portalId": 4711,
        "recipient": f"user-{number % 50}@example.com",
        "emailCampaignId": 99,
    }
    return record | fields


def record(number: int = 1, stream: str = "email_open", **fields: Any) -> dict[str, Any]:
    """A RECORD message with such an event."""
    return {"type": "RECORD", "stream": stream, "record": email(number, **fields)}


def state(number: int) -> dict[str, Any]:
    """A STATE message that says how far."""
    return {"type": "STATE", "value": {"bookmarks": {"email_open": {"number": number}}}}


def run_of(count: int, *, state_every: int = 0) -> list[dict[str, Any]]:
    """A whole run of so many records, with a state at the end."""
    messages = [schema()]
    for number in range(1, count + 1):
        messages.append(record(number))
        if state_every and number % state_every == 0:
            messages.append(state(number))
    messages.append(state(count))
    return messages


def numbers(states: list[Any]) -> list[int]:
    """The numbers of states made by `state`."""
    return [value["bookmarks"]["email_open"]["number"] for value in states]
