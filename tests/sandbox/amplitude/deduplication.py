"""Which events Amplitude has seen before: by insert_id and device, for 7 days after receipt."""

from __future__ import annotations

import hashlib
from typing import Any

WEEK = 7 * 24 * 3600.0


def device_of(event: dict[str, Any]) -> str:
    """The event's device; where it has none, a hash of its user."""
    device = event.get("device_id")
    if device is not None:
        return str(device)
    return hashlib.blake2b(str(event["user_id"]).encode(), digest_size=16).hexdigest()


class Deduplication:
    """Remembers what was received when."""

    def __init__(self) -> None:
        # A million keys must fit into memory, so their 64-bit hashes stand for them.
        self._received: dict[int, float] = {}

    def is_new(self, event: dict[str, Any], now: float) -> bool:
        """Whether this event counts; if so it is remembered (Unix seconds)."""
        insert_id = event.get("insert_id")
        if insert_id is not None:
            key = hash((device_of(event), insert_id))
        elif event.get("time") is not None:
            key = hash((device_of(event), event.get("event_id"), event["time"]))
        else:
            return True
        received = self._received.get(key)
        if received is not None and now - received < WEEK:
            return False
        self._received[key] = now
        return True
