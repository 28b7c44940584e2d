"""Events that wait because Amplitude throttles their users."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_amplitude.delivery.block import QueuedEvent


@dataclass(slots=True)
class ThrottledUser:
    """Events of a throttled user, of which a slice is sent at a time.

    `retry_at` is in seconds of the run's clock, and infinite while a slice is in flight.
    """

    events: deque[QueuedEvent] = field(default_factory=deque)
    retry_at: float = 0.0
    slice_size: int = 0
    attempts: int = 0


class Throttling:
    """Holds events of throttled users back and remembers whose daily quota is used up."""

    def __init__(self) -> None:
        self.users: dict[str, ThrottledUser] = {}
        self._over_quota: set[str] = set()

    def hold(self, events: Iterable[QueuedEvent], until: float) -> int:
        """Hold throttled events back, ahead of later ones of the same users.

        Returns the largest number of times in a row that one of these users was throttled.
        """
        by_user: dict[str, list[QueuedEvent]] = {}
        for event in events:
            by_user.setdefault(event.user, []).append(event)
        attempts = 0
        for user, own in by_user.items():
            throttled = self.users.setdefault(user, ThrottledUser())
            throttled.events.extendleft(reversed(own))
            throttled.retry_at = until
            throttled.slice_size = max(1, len(own) // 2)
            throttled.attempts += 1
            attempts = max(attempts, throttled.attempts)
        return attempts

    def stop_users(self, users: Iterable[str]) -> list[QueuedEvent]:
        """Send nothing more of users whose quota is used up; returns what was held back of them."""
        deferred: list[QueuedEvent] = []
        for user in users:
            self._over_quota.add(user)
            throttled = self.users.pop(user, None)
            if throttled is not None:
                deferred.extend(throttled.events)
        return deferred

    def separate(self, events: list[QueuedEvent]) -> tuple[list[QueuedEvent], list[QueuedEvent]]:
        """Return the events that may be sent now, and those of users whose quota is used up.

        Events of throttled users are held back, behind their earlier ones.
        """
        if not (self.users or self._over_quota):
            return events, []
        ready, deferred = [], []
        for event in events:
            if event.user in self._over_quota or event.device in self._over_quota:
                deferred.append(event)
            elif event.user in self.users and self.users[event.user].retry_at != inf:
                self.users[event.user].events.append(event)
            else:
                ready.append(event)
        return ready, deferred

    def send_next(self, users: Iterable[str], now: float) -> None:
        """Let the next slice of users follow whose last one is no longer in flight."""
        for user in users:
            throttled = self.users.get(user)
            if throttled is None or throttled.retry_at != inf:
                continue
            if throttled.events:
                throttled.retry_at = now
                throttled.attempts = 0
                throttled.slice_size *= 2
            else:
                del self.users[user]
