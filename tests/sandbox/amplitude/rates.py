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
        users = Counter([event.user_id for event in events if event.user_id])
        devices = Counter([event.device_id for event in events if event.device_id])
        batch = users.copy()
        batch.update(devices)
        most_of_one = max(map(add, map(self._recent.get, batch, repeat(0)), batch.values()))
        too_fast = {
            id_: max(int((self._recent[id_] + count) / WINDOW), most + 1)
            for id_, count in (batch.items() if most_of_one > most * WINDOW else ())
            if self._recent[id_] + count > most * WINDOW and id_ not in self.over_quota
        }
        exceeded = dict.fromkeys(self.over_quota.keys() & batch.keys(), 500_200)
        held = too_fast | exceeded
        if not held:
            self._recent.update(batch)
            self._batches.append((now, batch))
            return None
        return {
            "code": 429,
            "error": "Too many requests for some devices and users",
            "eps_threshold": most,
            "throttled_devices": _of(devices, too_fast),
            "throttled_users": _of(users, too_fast),
            "throttled_events": [
                index
                for index, event in enumerate(events)
                if event.user_id in held or event.device_id in held
            ],
            "exceeded_daily_quota_users": _of(users, exceeded),
            "exceeded_daily_quota_devices": _of(devices, exceeded),
        }


def _of(ids: Counter[str], figures: dict[str, int]) -> dict[str, int]:
    return {id_: figure for id_, figure in figures.items() if id_ in ids}
