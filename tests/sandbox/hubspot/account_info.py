"""A token's portal, what the token may do, and that the portal has no objects of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.routing import Route

from sandbox.hubspot.answers import Refusal, json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.hubspot.portal import HubSpot
    from sandbox.hubspot.tokens import Access

TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"


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

    async def token_info(request: Request, access: Access) -> Response:
        told = hubspot.behaviour.token_info
        question = msgspec.json.decode(await request.body())
        known = hubspot.tokens.access.get(question.get("tokenKey"))
        if told == "refuse" or known is None or known.oauth:
            raise Refusal(400, "The token is not that of a private app.")
        scopes = {"all": known.scopes, "other_scopes": ["oauth", "marketing-email"]}.get(told)
        answer = {"hubId": access.portal_id, "appId": 113, "userId": 9001}
        return json_response(answer if scopes is None else answer | {"scopes": scopes})

    async def custom_objects(_: Request, access: Access) -> Response:
        del access
        return json_response({"results": []})

    endpoint = hubspot.guarded(details, "oauth")
    return [
        *(Route(f"/account-info/{version}/details", endpoint) for version in ("v3", "2026-03")),
        Route(TOKEN_INFO, hubspot.guarded(token_info), methods=["POST"]),
        # singer-io's tap asks for them before it reads anything.
        Route("/crm/v3/schemas", hubspot.guarded(custom_objects, "oauth")),
    ]
