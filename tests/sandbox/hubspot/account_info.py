"""``/account-info``: a token's portal; ``/crm/v3/schemas``: it has no objects of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from sandbox.hubspot.answers import json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.hubspot.portal import HubSpot
    from sandbox.hubspot.tokens import Access


def routes(hubspot: HubSpot) -> list[Route]:
    """The routes that describe the account."""

    async def details(_: Request, access: Access) -> Response:
        return json_response(
            {
                "portalId": access.portal_id,
                "accountType": "STANDARD",
                "timeZone": "Europe/Dublin",
                "companyCurrency": "EUR",
                "additionalCurrencies": [],
                "utcOffset": "+00:00",
                "utcOffsetMilliseconds": 0,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "na1",
            }
        )

    async def custom_objects(_: Request, access: Access) -> Response:
        del access
        return json_response({"results": []})

    endpoint = hubspot.guarded(details, "oauth")
    return [
        *(Route(f"/account-info/{version}/details", endpoint) for version in ("v3", "2026-03")),
        # singer-io's tap asks for them before it reads anything.
        Route("/crm/v3/schemas", hubspot.guarded(custom_objects, "oauth")),
    ]
