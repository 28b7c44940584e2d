"""OAuth: the consent page, and the token endpoints, dated and old."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.hubspot.answers import Refusal, json_response
from sandbox.hubspot.tokens import CLIENT_ID, CLIENT_SECRET, FIRST_PORTAL, PORTALS, Grant
from sandbox.wire import read_form

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from sandbox.hubspot.portal import HubSpot

USER_ID = 9001
CONSENT = """<!DOCTYPE html>
<html lang="en"><head><title>Connect an app</title></head><body>
<h1>Connect the app to your HubSpot account</h1>
<p>It asks for: {scopes}</p>
<form method="post">
<label>Account <select name="portal_id">{accounts}</select></label>
<button id="connect" name="decision" value="grant">Connect app</button>
<button id="deny" name="decision" value="deny">Cancel</button>
</form></body></html>
"""


def routes(hubspot: HubSpot) -> list[Route]:
    """The routes of OAuth."""

    async def consent(request: Request) -> Response:
        asked = request.query_params
        if asked.get("client_id") != CLIENT_ID or not asked.get("redirect_uri"):
            return HTMLResponse("<h1>The app or its redirect address is not known.</h1>", 400)
        if request.method == "POST":
            return decide(hubspot, asked, await read_form(request) or {})
        accounts = "".join(f"<option>{portal_id}</option>" for portal_id in PORTALS)
        scopes = html.escape(asked.get("scope", "oauth"))
        return HTMLResponse(CONSENT.format(scopes=scopes, accounts=accounts))

    async def token(request: Request) -> Response:
        dated = request.url.path != "/oauth/v1/token"
        return json_response(trade(hubspot, await read_form(request), dated=dated))

    return [
        Route("/oauth/authorize", consent, methods=["GET", "POST"]),
        Route("/oauth/2026-03/token", token, methods=["POST"]),
        Route("/oauth/v1/token", token, methods=["POST"]),
    ]


def decide(hubspot: HubSpot, asked: QueryParams, form: dict[str, str]) -> Response:
    """Go back to the app with a code, or with the user's refusal."""
    uri = asked["redirect_uri"]
    back = {"state": asked["state"]} if "state" in asked else {}
    if form.get("decision") == "grant":
        grant = Grant(
            int(form.get("portal_id", FIRST_PORTAL)),
            tuple(asked.get("scope", "oauth").split()),
            uri,
            asked.get("code_challenge", ""),
        )
        back["code"] = hubspot.tokens.new_code(grant)
    else:
        back |= {"error": "access_denied", "error_description": "The user refused."}
    return RedirectResponse(uri + ("&" if "?" in uri else "?") + urlencode(back), 302)


def oauth_error(error: str, description: str, status: str) -> Refusal:
    """A refusal in the words of RFC 6749, with HubSpot's older fields kept beside them."""
    refusal = Refusal(401 if error == "invalid_client" else 400, description)
    refusal.body = {
        "error": error,
        "error_description": description,
        "status": status,
        "message": description,
    }
    return refusal


def challenge(verifier: str) -> str:
    """The challenge of a verifier, of RFC 7636's method S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def trade(hubspot: HubSpot, form: dict[str, str] | None, *, dated: bool) -> dict[str, Any]:
    """Tokens for a code or a refresh token.

    Raises:
        Refusal: 400 or 401, as RFC 6749 has it.
    """
    tokens = hubspot.tokens
    if form is None:
        raise oauth_error("invalid_request", "the body must be form-encoded", "BAD_REQUEST")
    if form.get("client_id") != CLIENT_ID:
        raise oauth_error("invalid_client", "missing or unknown client id", "BAD_CLIENT_ID")
    if form.get("client_secret") != CLIENT_SECRET:
        raise oauth_error("invalid_client", "missing or invalid client secret", "BAD_CLIENT_SECRET")
    if form.get("grant_type") == "refresh_token":
        refresh_token = form.get("refresh_token", "")
        grant = tokens.refresh.get(refresh_token)
        if grant is None:
            raise oauth_error(
                "invalid_grant",
                "refresh token is invalid, expired or revoked",
                "BAD_REFRESH_TOKEN",
            )
        refresh_token = tokens.renew(refresh_token)
    elif form.get("grant_type") == "authorization_code":
        grant = tokens.codes.pop(form.get("code", ""), None)
        if grant is None or grant.redirect_uri != form.get("redirect_uri"):
            raise oauth_error(
                "invalid_grant", "authorization code is invalid, expired or used", "BAD_AUTH_CODE"
            )
        verifier = form.get("code_verifier", "")
        if dated and grant.challenge not in ("", challenge(verifier)):
            raise oauth_error(
                "invalid_grant", "code_verifier is not that of the challenge", "BAD_CODE_VERIFIER"
            )
        refresh_token = tokens.new_refresh_token(Grant(grant.portal_id, grant.scopes))
    else:
        raise oauth_error(
            "unsupported_grant_type", "grant_type is missing or unknown", "BAD_GRANT_TYPE"
        )
    life = tokens.settings.token_life_seconds
    answer: dict[str, Any] = {
        "token_type": "bearer",
        "access_token": tokens.issue(grant),
        "refresh_token": refresh_token,
        "expires_in": int(life),
    }
    if dated:
        answer |= {
            "token_use": "access_token",
            "hub_id": grant.portal_id,
            "scopes": grant.scopes,
            "user_id": USER_ID,
        }
    return answer
