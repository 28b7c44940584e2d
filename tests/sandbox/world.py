"""Both services and what is common to them: the seed, faults, latencies, histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from sandbox.scenarios.history import History

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from sandbox.hubspot.limits import Limits

    Unknown = Callable[[Request, Exception], Awaitable[Response]]


async def unknown_to_hubspot(request: Request, _: Exception) -> Response:
    """HubSpot's words for an address it does not know."""
    return hubspot_answer(
        {"status": "error", "message": f"Resource not found: {request.url.path}"}, 404
    )


async def unknown_to_amplitude(_: Request, __: Exception) -> Response:
    """Amplitude's words for an address it does not know."""
    return amplitude_answer({"code": 404, "error": "Invalid request path"})


def application(routes: list[Route], unknown: Unknown) -> Starlette:
    """The endpoints of one service, with its words for other addresses."""
    return Starlette(routes=routes, exception_handlers={404: unknown})


class World:
    """Everything one sandbox process holds."""

    def __init__(self, seed: int, limits: Limits, hubspot_latency: float) -> None:
        self.seed = seed
        self.start_limits = limits
        self.start_latency = {"hubspot": hubspot_latency, "amplitude": 0.0}
        self.hubspot = HubSpot()
        self.project = Project()
        self.services: dict[str, HubSpot | Project] = {
            "hubspot": self.hubspot,
            "amplitude": self.project,
        }
        self.reset()

    def reset(self) -> None:
        """Empty both services and behave as at the start."""
        self.hubspot.reset(self.start_limits)
        self.project.reset()
        self.latency = dict(self.start_latency)
        self.faults = Faults(self.seed)
        self.logs = {name: Log() for name in self.services}
        self.histories = {
            portal_id: History(self.seed, account)
            for portal_id, account in self.hubspot.accounts.items()
        }

    def applications(self) -> tuple[Gate, Gate]:
        """HubSpot and Amplitude, each behind its gate and with the sandbox's own interface."""
        control = control_routes(self)
        hubspot = [
            route
            for part in (events, campaigns, contacts, oauth, account_info)
            for route in part.routes(self.hubspot)
        ]
        amplitude = [
            route
            for part in (ingestion, taxonomy, lookup_tables, export)
            for route in part.routes(self.project)
        ]
        return (
            Gate(self, "hubspot", application(control + hubspot, unknown_to_hubspot)),
            Gate(self, "amplitude", application(control + amplitude, unknown_to_amplitude)),
        )
