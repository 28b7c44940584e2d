"""The local HubSpot as an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from sandbox.hubspot import account_info, campaigns, contacts, events, oauth
from sandbox.hubspot.answers import json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from sandbox.hubspot.portal import HubSpot


async def unknown_path(request: Request, _: Exception) -> Response:
    """HubSpot's words for an address it does not know."""
    return json_response(
        {"status": "error", "message": f"Resource not found: {request.url.path}"}, 404
    )


def application(hubspot: HubSpot, control: list[BaseRoute]) -> Starlette:
    """All routes of the local HubSpot, and the sandbox's own."""
    return Starlette(
        routes=[
            *control,
            *events.routes(hubspot),
            *campaigns.routes(hubspot),
            *contacts.routes(hubspot),
            *oauth.routes(hubspot),
            *account_info.routes(hubspot),
        ],
        exception_handlers={404: unknown_path},
    )
