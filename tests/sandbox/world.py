"""Both services and what is common to them: the seed, faults, latencies, histories."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

from sandbox.amplitude import export, ingestion, lookup_tables, taxonomy
from sandbox.amplitude.answers import Refusal as AmplitudeRefusal
from sandbox.amplitude.project import Project
from sandbox.control import routes as control_routes
from sandbox.faults import Faults
from sandbox.gate import Gate, Log
from sandbox.hubspot import account_info, campaigns, contacts, events, oauth
from sandbox.hubspot.answers import Refusal as HubSpotRefusal
from sandbox.hubspot.answers import json_response as hubspot_answer
from sandbox.hubspot.portal import HubSpot
from sandbox.scenarios.history import History

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from sandbox.hubspot.limits import Limits


async def unknown_to_hubspot(request: Request, _: Exception) -> Response:
    """HubSpot's words for an address it does not know."""
    return hubspot_answer(
        {"status": "error", "message": f"Resource not found: {request.url.path}"}, 404
    )


async def unknown_to_amplitude(_: Request, __: Exception) -> Response:
    """Amplitude's words for an address it does not know."""
    return AmplitudeRefusal(404, "Invalid request path").response()


async def refused(_: Request, refusal: Any) -> Response:
    """The answer that a refusal is."""
    response: Response = refusal.response()
    return response


UNKNOWN = {"hubspot": unknown_to_hubspot, "amplitude": unknown_to_amplitude}


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
        hubspot = (events, campaigns, contacts, oauth, account_info)
        amplitude = (ingestion, taxonomy, lookup_tables, export)
        return (
            self._gate("hubspot", [part.routes(self.hubspot) for part in hubspot]),
            self._gate("amplitude", [part.routes(self.project) for part in amplitude]),
        )

    def _gate(self, service: str, parts: list[list[Route]]) -> Gate:
        handlers = {404: UNKNOWN[service], HubSpotRefusal: refused, AmplitudeRefusal: refused}
        routes = [*control_routes(self), *chain(*parts)]
        return Gate(self, service, Starlette(routes=routes, exception_handlers=handlers))
