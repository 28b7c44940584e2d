"""Register a plan through Amplitude's Taxonomy API, one entry after the other.

Source: Amplitude's Taxonomy API reference. A write costs 2, of 4 at a time and of 7,200 an hour,
of which a whole plan takes less than a tenth.
A display name can be set only by an update, once the event has arrived; a classification only on a
property that all events share, so properties are registered as shared. A user property is planned
by its name, and from then on has `gp:` before it in paths. What an existing one is answered is not
documented: a 409, as for the others, or a 200 that says `"success": false`.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from target_amplitude.amplitude.management_api import UNAUTHORIZED, Reply
from target_amplitude.taxonomy.plan import CATEGORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_amplitude.amplitude.management_api import ManagementApi
    from target_amplitude.taxonomy.plan import Plan, PlannedEvent
    from target_amplitude.taxonomy.properties import PlannedProperty

HOSTS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}

CREATED, UPDATED, SKIPPED = "created", "updated", "skipped"

PATH = "/api/2/taxonomy"
_NAME_FIELDS = {
    "event": "event_type",
    "event-property": "event_property",
    "user-property": "user_property",
}
_PREFIXES = {"user-property": "gp:"}
_FORBIDDEN, _CONFLICT = 403, 409

_NO_ACCESS = {
    UNAUTHORIZED: "Amplitude does not know these keys; check api_key, secret_key and region",
    _FORBIDDEN: "this project may not use the Taxonomy API; it comes with some plans only, and of "
    "several environments with the first one's keys",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry of the plan; a skipped one has a reason."""

    kind: str
    name: str
    result: str
    reason: str = ""


class Registration:
    """Registers plans; `overwrite` decides whether entries that exist are changed."""

    def __init__(self, api: ManagementApi, *, overwrite: bool) -> None:
        self._api = api
        self._overwrites = overwrite
        self._has_access = False
        self._denial: Reply | None = None

    def register(self, plan: Plan) -> Iterator[Outcome]:
        """Register each entry and yield what became of it.

        Raises:
            RunFailedError: If Amplitude cannot be reached.
        """
        reply = self._write("POST", "category", {"category_name": CATEGORY})
        yield _outcome("category", CATEGORY, reply, "it exists already")
        for event in plan.events:
            yield self._describe_event(event)
        for event in plan.events:
            path = f"event/{quote(event.event_type, safe='')}"
            reply = self._write("PUT", path, {"display_name": event.display_name})
            yield _outcome(
                "display name",
                event.event_type,
                reply,
                "it can be set once the event has arrived; run this again after a load",
                UPDATED,
            )
        for planned in plan.properties:
            yield self._describe_property("event-property", planned)
        for planned in plan.user_properties:
            yield self._describe_property("user-property", planned)

    def _describe_event(self, event: PlannedEvent) -> Outcome:
        fields = {"category": CATEGORY, "description": event.description}
        return self._describe("event", event.event_type, fields)

    def _describe_property(self, kind: str, planned: PlannedProperty) -> Outcome:
        fields = {
            "description": planned.description,
            "type": planned.value_type,
            "is_array_type": "true" if planned.is_list else "false",
        }
        if planned.is_personal:
            fields["classifications"] = "PII"
        return self._describe(kind, planned.name, fields)

    def _describe(self, kind: str, name: str, fields: dict[str, str]) -> Outcome:
        shown = kind.replace("-", " ")
        reply = self._write("POST", kind, {_NAME_FIELDS[kind]: name} | fields)
        if self._overwrites and reply.status == _CONFLICT:
            path = f"{kind}/{quote(_PREFIXES.get(kind, '') + name, safe='')}"
            reply = self._write("PUT", path, fields)
            return _outcome(shown, name, reply, "it cannot be changed", UPDATED)
        return _outcome(shown, name, reply, "it exists already; --overwrite changes it")

    def _write(self, method: str, path: str, fields: dict[str, str]) -> Reply:
        if self._denial is not None:
            return self._denial
        reply = self._api.send(method, f"{PATH}/{path}", data=fields)
        assert reply is not None  # noqa: S101 - nothing interrupts it
        if reply.status == HTTPStatus.OK and not reply.is_success:
            reply = Reply(_CONFLICT, reply.message)
        if reply.is_success:
            self._has_access = True
        elif reply.status in _NO_ACCESS and not self._has_access:
            # Nothing was accepted so far, so the other entries would be refused too.
            self._denial = reply
        return reply


def _outcome(kind: str, name: str, reply: Reply, conflict: str, success: str = CREATED) -> Outcome:
    if reply.is_success:
        return Outcome(kind, name, success)
    reason = f"Amplitude answers with status {reply.status}"
    if reply.status in _NO_ACCESS:
        reason = _NO_ACCESS[reply.status]
    elif reply.status == _CONFLICT or success == UPDATED:
        reason = conflict
    message = f" (Amplitude: {reply.message})" if reply.message else ""
    return Outcome(kind, name, SKIPPED, reason + message)
