"""The local Amplitude project: how it behaves, what it received, what it holds."""

from __future__ import annotations

import base64
import binascii
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from sandbox.amplitude.deduplication import Deduplication
from sandbox.amplitude.events import Event
from sandbox.amplitude.rates import Rates
from sandbox.amplitude.storage import Storage
from sandbox.amplitude.users import Users

if TYPE_CHECKING:
    from sandbox.amplitude.export import OtherEvents

API_KEY = "sandbox-api-key"
SECRET_KEY = "sandbox-secret-key"


class Behaviour(msgspec.Struct, forbid_unknown_fields=True):
    """Where the sources about Amplitude differ, or a test wants it to be difficult."""

    index_style: Literal["all", "first"] = "all"
    forbidden: list[str] = []
    silenced_devices: list[str] = []
    api_key: str = API_KEY
    # Whether the key of a request is looked at before or after its events.
    key_checked: Literal["first", "after_events"] = "first"
    taxonomy: bool = True
    # How a user property that is planned already is answered.
    planned_again: Literal["conflict", "success_false"] = "conflict"
    # Whether the project has the Accounts add-on, without which groups are not tracked.
    accounts: bool = True
    export_delay_hours: float = 2
    # More in one export is too large; 0 is without limit.
    export_most_events: int = 0


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
        self.others: list[OtherEvents] = []
        self.received = self.duplicates = self.bytes = 0

    def now(self) -> float:
        """The time (Unix seconds), which tests may move ahead."""
        return time.time() + self.seconds_ahead

    def admits(self, authorization: str) -> bool:
        """Whether a header has the API key and the secret key, as the management APIs want it."""
        scheme, _, given = authorization.partition(" ")
        try:
            pair = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and pair == f"{self.behaviour.api_key}:{SECRET_KEY}"

    def ingest(self, body: bytes, events: list[Event]) -> int:
        """Take valid events in and return how many were seen before."""
        now = self.now()
        is_new = self.deduplication.is_new
        fresh = [index for index, event in enumerate(events) if is_new(event, now)]
        for index in fresh:
            self.users.see(events[index])
        self.counts.update([events[index].event_type for index in fresh])
        self.storage.keep(body, fresh, now)
        seen_before = len(events) - len(fresh)
        self.received += len(events)
        self.duplicates += seen_before
        return seen_before

    def add_foreign(self, events: list[dict[str, Any]], at: float) -> None:
        """Hold events that another source brought at a time."""
        self.storage.keep(msgspec.json.encode({"events": events}), range(len(events)), at)

    def remove(self, insert_ids: set[str]) -> int:
        """Lose events, as if they had never come; returns how many."""
        removed = self.storage.remove(insert_ids)
        for raw in removed:
            event = msgspec.json.decode(raw, type=Event)
            self.deduplication.forget(event)
            self.counts[event.event_type] -= 1
        return len(removed)
