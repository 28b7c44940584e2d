"""Registers a plan through Amplitude's Taxonomy API, one entry after the other.

Source: Amplitude's Taxonomy API reference. Writes cost 2 of 4 that may be under way at once and of
7,200 an hour. A display name can be set only by an update, once the event has arrived; a
classification only on a property that all events share, so properties are registered as shared.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from target_amplitude.amplitude.management_api import UNKNOWN_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_amplitude.amplitude.management_api import ManagementApi, Reply
    from target_amplitude.taxonomy.plan import Plan, PlannedEvent
    from target_amplitude.taxonomy.properties import PlannedProperty

HOSTS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}

CREATED, UPDATED, SKIPPED = "created", "updated", "skipped"

_PATH = "/api/2/taxonomy"
_FORBIDDEN, _CONFLICT = 403, 409

_WRITE_COST = 2
_COST_A_SECOND = 7200 / 3600
_COST_AT_ONCE = 1200.0

_CLOSED_DOORS = {
    UNKNOWN_KEYS: "Amplitude does not know these keys; check api_key, secret_key and region",
    _FORBIDDEN: "this project may not use the Taxonomy API; it comes with some plans only, and of "
    "several environments with the first one's keys",
}


class Outcome(msgspec.Struct, frozen=True):
    """What became of one entry of the plan; a skipped one has a reason."""

    kind: str
    name: str
    result: str
    reason: str = ""


class Pace:
    """Keeps the cost of requests within the hour's, with room for a burst; times are seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start with room for a whole plan."""
        self._clock = clock
        self._sleep = sleep
        self._room = _COST_AT_ONCE
        self._at = clock()

    def spend(self, cost: float) -> None:
        """Wait until so much may be spent."""
        now = self._clock()
        self._room = min(_COST_AT_ONCE, self._room + (now - self._at) * _COST_A_SECOND)
        self._at = now
        if self._room < cost:
            self._sleep((cost - self._room) / _COST_A_SECOND)
        self._room -= cost


class Registration:
    """Registers plans; where entries exist, `overwrite` decides whether they are changed."""

    def __init__(self, api: ManagementApi, pace: Pace, *, overwrite: bool = False) -> None:
        """Take the API and the pace at which to use it."""
        self._api = api
        self._pace = pace
        self._overwrites = overwrite
        self._is_open = False
        self._closed = ""

    def register(self, plan: Plan) -> Iterator[Outcome]:
        """What became of each entry, as it becomes known.

        Raises:
            RunFailedError: If Amplitude cannot be reached.
        """
        reply = self._write("POST", "category", {"category_name": plan.category})
        yield self._outcome("category", plan.category, reply, "it exists already")
        for event in plan.events:
            yield self._describe_event(event, plan.category)
        for event in plan.events:
            path = f"event/{quote(event.event_type, safe='')}"
            reply = self._write("PUT", path, {"display_name": event.display_name})
            yield self._outcome(
                "display name",
                event.event_type,
                reply,
                "it can be set once the event has arrived; run this again after a load",
                UPDATED,
            )
        for planned in plan.properties:
            yield self._describe_property(planned)

    def _describe_event(self, event: PlannedEvent, category: str) -> Outcome:
        fields = {"category": category, "description": event.description}
        return self._describe("event", "event_type", event.event_type, fields)

    def _describe_property(self, planned: PlannedProperty) -> Outcome:
        fields = {
            "description": planned.description,
            "type": planned.value_type,
            "is_array_type": "true" if planned.is_list else "false",
        }
        if planned.is_personal:
            fields["classifications"] = "PII"
        return self._describe("event-property", "event_property", planned.name, fields)

    def _describe(self, kind: str, field: str, name: str, fields: dict[str, str]) -> Outcome:
        shown = kind.replace("-", " ")
        reply = self._write("POST", kind, {field: name} | fields)
        if self._overwrites and reply is not None and reply.status == _CONFLICT:
            reply = self._write("PUT", f"{kind}/{quote(name, safe='')}", fields)
            return self._outcome(shown, name, reply, "it cannot be changed", UPDATED)
        return self._outcome(shown, name, reply, "it exists already; --overwrite changes it")

    def _write(self, method: str, path: str, fields: dict[str, str]) -> Reply | None:
        if self._closed:
            return None
        self._pace.spend(_WRITE_COST)
        reply = self._api.send(method, f"{_PATH}/{path}", data=fields)
        if reply is not None and reply.is_success:
            self._is_open = True
        elif reply is not None and reply.status in _CLOSED_DOORS and not self._is_open:
            # Nothing was ever taken, so nothing will be: asking on would only cost.
            self._closed = _told(_CLOSED_DOORS[reply.status], reply.words)
        return reply

    def _outcome(
        self,
        kind: str,
        name: str,
        reply: Reply | None,
        conflict: str,
        success: str = CREATED,
    ) -> Outcome:
        if reply is None or (self._closed and not reply.is_success):
            return Outcome(kind, name, SKIPPED, self._closed)
        if reply.is_success:
            return Outcome(kind, name, success)
        reason = _CLOSED_DOORS.get(reply.status, f"Amplitude answers with status {reply.status}")
        if reply.status == _CONFLICT or (success == UPDATED and reply.status not in _CLOSED_DOORS):
            reason = conflict
        return Outcome(kind, name, SKIPPED, _told(reason, reply.words))


def _told(reason: str, words: str) -> str:
    return f"{reason} (Amplitude: {words})" if words else reason
