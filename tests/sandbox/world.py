"""Both services and what is common to them: the seed, the faults, the latencies, the histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

from sandbox.amplitude import export, ingestion, lookup_tables, taxonomy
from sandbox.amplitude.answers import json_response as amplitude_answer
from sandbox.amplitude.project import Project
from sandbox.control import routes as control_routes
from sandbox.faults import Faults
from sandbox.gate import Gate, Log
from sandbox.hubspot import account_info, campaigns, contacts, events, oauth
from sandbox.hubspot.answers import json_response as hubspot_answer
from sandbox.hubspot.portal import HubSpot
from sandbox.scenarios.history import History, arrival

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.hubspot.limits import Limits

HOUR = 3_600_000


async def unknown_to_hubspot(request: Request, _: Exception) -> Response:
    """HubSpot's words for an address it does not know."""
    return hubspot_answer(
        {"status": "error", "message": f"Resource not found: {request.url.path}"}, 404
    )


async def unknown_to_amplitude(_: Request, __: Exception) -> Response:
    """Amplitude's words for an address it does not know."""
    return amplitude_answer({"code": 404, "error": "Invalid request path"})


class World:
    """Everything one sandbox process holds."""

    def __init__(
        self,
        seed: int,
        limits: Limits,
        latency: dict[str, float],
        faults: Iterable[dict[str, Any]] = (),
    ) -> None:
        self.seed = seed
        self.start_limits = limits
        self.start_latency = dict(latency)
        self.start_faults = list(faults)
        self.latency = dict(latency)
        self.faults = Faults(seed)
        self.hubspot = HubSpot()
        self.project = Project()
        self.logs = {"hubspot": Log(), "amplitude": Log()}
        self.reset()

    def applications(self) -> tuple[Gate, Gate]:
        """HubSpot and Amplitude, each behind its gate and with the sandbox's own interface."""
        control = control_routes(self)
        apps = {
            "hubspot": Starlette(
                routes=[
                    *control,
                    *(
                        route
                        for each in (events, campaigns, contacts, oauth, account_info)
                        for route in each.routes(self.hubspot)
                    ),
                ],
                exception_handlers={404: unknown_to_hubspot},
            ),
            "amplitude": Starlette(
                routes=[
                    *control,
                    *(
                        route
                        for each in (ingestion, taxonomy, lookup_tables, export)
                        for route in each.routes(self.project)
                    ),
                ],
                exception_handlers={404: unknown_to_amplitude},
            ),
        }
        clocks = {"hubspot": self.hubspot.now, "amplitude": self.project.now}
        dated = {"hubspot": lambda: self.hubspot.behaviour.date, "amplitude": lambda: True}
        hubspot, amplitude = (
            Gate(
                name,
                app,
                faults=self.faults,
                latency=self.latency,
                log=self.logs[name],
                now=clocks[name],
                has_date=dated[name],
            )
            for name, app in apps.items()
        )
        return hubspot, amplitude

    def reset(self) -> None:
        """Empty both services and behave as at the start."""
        self.hubspot.reset(self.start_limits)
        self.project.reset()
        self.latency.update(self.start_latency)
        self.faults.reset()
        for fault in self.start_faults:
            self.faults.add(fault)
        for log in self.logs.values():
            log.clear()
        self.histories = {
            portal_id: History(self.seed, portal_id) for portal_id in self.hubspot.accounts
        }
        self.told_until: dict[int, int] = {}

    def generate(self, events: int, days: float, portal_id: int) -> dict[str, int]:
        """Fill an account with a past; returns its events by type."""
        now = int(self.hubspot.now() * 1000)
        account = self.hubspot.account(portal_id)
        history = self.histories[portal_id]
        account.add(history.past(events, days, now))
        history.introduce(account)
        self.told_until[portal_id] = now
        return account.counts()

    def arrive(self, events: int, late: float, portal_id: int) -> dict[str, int]:
        """Add what happened since the last call, a share of it arriving late."""
        now = int(self.hubspot.now() * 1000)
        start = self.told_until.get(portal_id, now - HOUR)
        account = self.hubspot.account(portal_id)
        account.add(self.histories[portal_id].increment(events, start, now, late))
        self.histories[portal_id].introduce(account)
        self.told_until[portal_id] = now
        return account.counts()

    def add_events(
        self, events: list[dict[str, Any]], visible_at: Sequence[float | None], portal_id: int
    ) -> int:
        """Add exact events; each goes to its own portal, else to the one named."""
        for event, at in zip(events, visible_at, strict=True):
            account = self.hubspot.account(event.get("portalId") or portal_id)
            account.add([arrival(event)], visible_at=at)
        return len(events)
