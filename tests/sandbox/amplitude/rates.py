"""How many events a second one user or device may send, and how many a day."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import repeat
from operator import add
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.amplitude.events import Event

WINDOW = 30.0


@dataclass
class Rates:
    """Events by id over the last 30 seconds, and the ids that a test lets be over their quota."""

    # Until when, in Unix seconds.
    over_quota: dict[str, float] = field(default_factory=dict)
    _recent: Counter[str] = field(default_factory=Counter)
    _batches: deque[tuple[float, Counter[str]]] = field(default_factory=deque)

    def refusal(self, events: list[Event], most: int, now: float) -> dict[str, Any] | None:
        """The 429 body where an id sends too much (events a second), None where none does."""
        while self._batches and self._batches[0][0] <= now - WINDOW:
            self._recent -= self._batches.popleft()[1]
        self.over_quota = {id_: until for id_, until in self.over_quota.items() if until > now}
        ids = [event.user_id for event in events if event.user_id]
        ids += [event.device_id for event in events if event.device_id]
        batch = Counter(ids)
        most_of_one = max(map(add, map(self._recent.get, batch, repeat(0)), batch.values()))
        if not self.over_quota and most_of_one <= most * WINDOW:
            self._remember(batch, now)
            return None
        counts = {
            "user_id": Counter([event.user_id for event in events if event.user_id]),
            "device_id": Counter([event.device_id for event in events if event.device_id]),
        }
        slow: dict[str, dict[str, int]] = {"user_id": {}, "device_id": {}}
        exceeded: dict[str, dict[str, int]] = {"user_id": {}, "device_id": {}}
        for name, those in counts.items():
            for id_, count in those.items():
                rate = (self._recent[id_] + count) / WINDOW
                if id_ in self.over_quota:
                    exceeded[name][id_] = 500_200
                elif rate > most:
                    slow[name][id_] = max(int(rate), most + 1)
        held = {id_ for kinds in (slow, exceeded) for ids in kinds.values() for id_ in ids}
        if not held:
            self._remember(batch, now)
            return None
        indexes = [
            index
            for index, event in enumerate(events)
            if event.user_id in held or event.device_id in held
        ]
        return {
            "code": 429,
            "error": "Too many requests for some devices and users",
            "eps_threshold": most,
            "throttled_devices": slow["device_id"],
            "throttled_users": slow["user_id"],
            "throttled_events": indexes,
            "exceeded_daily_quota_users": exceeded["user_id"],
            "exceeded_daily_quota_devices": exceeded["device_id"],
        }

    def _remember(self, batch: Counter[str], now: float) -> None:
        self._recent.update(batch)
        self._batches.append((now, batch))
