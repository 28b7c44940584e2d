"""The local Amplitude project: how it behaves, what it received, what it holds.

It recognises an event that it has seen by insert_id and device, for 7 days after receipt.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from sandbox.amplitude.events import Event
from sandbox.amplitude.rates import Rates
from sandbox.amplitude.users import Users
from sandbox.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

API_KEY = "sandbox-api-key"
SECRET_KEY = "sandbox-secret-key"
EVENTS = msgspec.json.Decoder(Event)
WEEK = 7 * 24 * 3600.0


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
    export_delay_hours: float = 2
    # More in one export is too large; 0 is without limit.
    export_most_events: int = 0


class RawBody(msgspec.Struct):
    """A request's events, each still encoded."""

    events: list[msgspec.Raw]


class Kept(NamedTuple):
    """A body that came at a time (Unix seconds), and which of its events were new."""

    at: float
    body: bytes
    indexes: Sequence[int]

    def payloads(self) -> Iterator[bytes]:
        """The JSON of each new event."""
        events = msgspec.json.decode(self.body, type=RawBody).events
        return (bytes(events[index]) for index in self.indexes)


class Project:
    """Everything the local Amplitude knows."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, empty and well-behaved."""
        self.behaviour = Behaviour()
        self.clock = Clock()
        # When each was received. A million keys fit into memory as their 64-bit hashes.
        self.received_at: dict[int, float] = {}
        self.kept: list[Kept] = []
        self.users = Users()
        self.rates = Rates()
        self.counts: Counter[str] = Counter()
        self.plan: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        self.lookup_tables: dict[str, dict[str, Any]] = {}
        self.received = self.duplicates = 0

    def now(self) -> float:
        """Amplitude's time, in seconds since the epoch."""
        return self.clock.now()

    def admits(self, authorization: str) -> bool:
        """Whether a header has the API key and the secret key, as the management APIs want it."""
        scheme, _, given = authorization.partition(" ")
        try:
            pair = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and pair == f"{self.behaviour.api_key}:{SECRET_KEY}"

    def ingest(self, body: bytes, events: list[Event]) -> None:
        """Take valid events in, those that were not seen before."""
        now = self.now()
        fresh = [index for index, event in enumerate(events) if self._is_new(event, now)]
        for index in fresh:
            self.users.see(events[index])
        self.counts.update([events[index].event_type for index in fresh])
        self.kept.append(Kept(now, body, fresh))
        self.received += len(events)
        self.duplicates += len(events) - len(fresh)

    def _is_new(self, event: Event, now: float) -> bool:
        key = seen_by(event)
        if key is None:
            return True
        received = self.received_at.get(key)
        if received is not None and now - received < WEEK:
            return False
        self.received_at[key] = now
        return True

    def payloads(self) -> Iterator[tuple[float, bytes]]:
        """When each kept event came, in the order of arrival, and its JSON."""
        return ((kept.at, payload) for kept in self.kept for payload in kept.payloads())

    def events(self) -> Iterator[Event]:
        """Every kept event, in the order of arrival."""
        return (EVENTS.decode(payload) for _, payload in self.payloads())

    def add_foreign(self, events: list[dict[str, Any]], at: float) -> None:
        """Hold events that another source brought at a time."""
        body = msgspec.json.encode({"events": events})
        self.kept.append(Kept(at, body, range(len(events))))

    def remove(self, insert_ids: set[str]) -> int:
        """Lose events, as if they had never come; returns how many."""
        removed = 0
        for place, kept in enumerate(self.kept):
            left = []
            for index, payload in zip(kept.indexes, kept.payloads(), strict=True):
                event = EVENTS.decode(payload)
                if event.insert_id not in insert_ids:
                    left.append(index)
                    continue
                self.received_at.pop(seen_by(event) or 0, None)
                self.counts[event.event_type] -= 1
                removed += 1
            self.kept[place] = kept._replace(indexes=left)
        return removed


def seen_by(event: Event) -> int | None:
    """What an event is recognised by, None where it has nothing such."""
    device = event.device_id or event.user_id, event.device_id
    if event.insert_id is not None:
        return hash((*device, event.insert_id))
    if event.time is not msgspec.UNSET:
        return hash((*device, event.event_id, event.time))
    return None
