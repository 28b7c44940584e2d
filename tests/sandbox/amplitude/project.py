"""The local Amplitude project: how it behaves, what it received, what it holds."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from sandbox.amplitude.deduplication import Deduplication
from sandbox.amplitude.rates import Rates
from sandbox.amplitude.storage import Storage
from sandbox.amplitude.users import Users

if TYPE_CHECKING:
    from sandbox.amplitude.events import Event

API_KEY = "sandbox-api-key"
SECRET_KEY = "sandbox-secret-key"


class Behaviour(msgspec.Struct, forbid_unknown_fields=True):
    """Where the sources about Amplitude differ, or a test wants it to be difficult.

    ``eps_threshold`` is events a second for each user or device, None for the endpoint's own
    (1,000 for batch, 30 for httpapi), 0 for no limit.
    """

    index_style: Literal["all", "first"] = "all"
    short_ids: Literal["refuse", "drop"] = "refuse"
    eps_threshold: int | None = None
    forbidden: list[str] = []
    silenced_devices: list[str] = []
    api_key: str = API_KEY
    taxonomy: bool = True


class Project:
    """Everything the local Amplitude knows."""

    def __init__(self) -> None:
        self.storage = Storage()
        self.reset()

    def reset(self) -> None:
        """Begin anew, empty and well-behaved."""
        self.storage.close()
        self.behaviour = Behaviour()
        self.seconds_ahead = 0.0
        self.deduplication = Deduplication()
        self.storage = Storage()
        self.users = Users()
        self.rates = Rates()
        self.counts: Counter[str] = Counter()
        self.plan: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        self.lookup_tables: dict[str, dict[str, Any]] = {}
        self.received = self.duplicates = self.bytes = 0

    def now(self) -> float:
        """The time (Unix seconds), which tests may move ahead."""
        return time.time() + self.seconds_ahead

    def ingest(self, body: bytes, events: list[Event]) -> int:
        """Take valid events in and return how many were seen before."""
        now = self.now()
        is_new = self.deduplication.is_new
        fresh = [index for index, event in enumerate(events) if is_new(event, now)]
        for index in fresh:
            self.users.see(events[index])
        self.counts.update([events[index].event_type for index in fresh])
        self.storage.keep(body, fresh)
        seen_before = len(events) - len(fresh)
        self.received += len(events)
        self.duplicates += seen_before
        return seen_before
