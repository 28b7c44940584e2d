"""Which events Amplitude has seen before: by insert_id and device, for 7 days after receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

if TYPE_CHECKING:
    from sandbox.amplitude.events import Event

WEEK = 7 * 24 * 3600.0


class Deduplication:
    """Remembers what was received when."""

    def __init__(self) -> None:
        # A million keys must fit into memory, so their 64-bit hashes stand for them.
        self._received: dict[int, float] = {}

    def is_new(self, event: Event, now: float) -> bool:
        """Whether this event counts; if so it is remembered (Unix seconds)."""
        key = self._key(event)
        if key is None:
            return True
        received = self._received.get(key)
        if received is not None and now - received < WEEK:
            return False
        self._received[key] = now
        return True

    def forget(self, event: Event) -> None:
        """Forget an event, as if it had not come."""
        self._received.pop(self._key(event) or 0, None)

    def _key(self, event: Event) -> int | None:
        device = event.device_id or event.user_id, event.device_id
        if event.insert_id is not None:
            return hash((*device, event.insert_id))
        if event.time is not UNSET:
            return hash((*device, event.event_id, event.time))
        return None
