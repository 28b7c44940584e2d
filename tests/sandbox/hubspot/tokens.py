"""Who may call: access tokens, what they were granted, and how long they live."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sandbox.hubspot.answers import missing_scopes, unauthenticated

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_PORTAL = 4711
PORTALS = {FIRST_PORTAL: "sandbox-access-token", 4712: "sandbox-access-token-2"}
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret"
REFRESH_TOKEN = "sandbox-refresh-token"
ALL_SCOPES = ("oauth", "content", "crm.objects.contacts.read")


@dataclass
class Access:
    """What one access token may do, until when (Unix seconds)."""

    portal_id: int
    scopes: tuple[str, ...] = ALL_SCOPES
    expires_at: float | None = None
    oauth: bool = False
    token: str = ""

    def require(self, *scopes: str) -> None:
        """Refuse with 403 where a scope was not granted."""
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise missing_scopes(*missing)


@dataclass
class Grant:
    """An authorization code or a refresh token: for which portal, and bound to what."""

    portal_id: int
    scopes: tuple[str, ...] = ALL_SCOPES
    redirect_uri: str = ""
    challenge: str = ""


class OAuthSettings(msgspec.Struct, forbid_unknown_fields=True):
    """How the token endpoints behave."""

    token_life_seconds: float = 1800
    rotate: bool = False


class Tokens:
    """Every token that is good at present."""

    def __init__(self) -> None:
        self.settings = OAuthSettings()
        self.access = {
            token: Access(portal_id, token=token) for portal_id, token in PORTALS.items()
        }
        self.refresh = {REFRESH_TOKEN: Grant(FIRST_PORTAL)}
        self.codes: dict[str, Grant] = {}

    def check(self, authorization: str | None) -> Access:
        """The access that a request's ``Authorization`` header gives.

        Raises:
            Refusal: 401, for want of a token or because it is unknown or too old.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated(
                "Authentication credentials not found. This API supports OAuth 2.0 authentication "
                "and you can find more details at "
                "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
            )
        access = self.access.get(token)
        if access is None:
            raise unauthenticated(
                "Authentication credentials not found. The access token is not valid."
            )
        if access.expires_at is not None and access.expires_at <= time.time():
            ago = int(time.time() - access.expires_at)
            raise unauthenticated(
                f"The OAuth token used to make this call expired {ago} second(s) ago.",
                "EXPIRED_AUTHENTICATION",
            )
        return access

    def new_code(self, grant: Grant) -> str:
        """An authorization code, good once."""
        code = str(uuid.uuid4())
        self.codes[code] = grant
        return code

    def issue(self, grant: Grant) -> str:
        """A new access token of the set life."""
        token = f"sandbox-oauth-{uuid.uuid4()}"
        expires_at = time.time() + self.settings.token_life_seconds
        self.access[token] = Access(
            grant.portal_id, grant.scopes, expires_at, oauth=True, token=token
        )
        return token

    def renew(self, refresh_token: str) -> str:
        """The refresh token to use from now on."""
        if not self.settings.rotate:
            return refresh_token
        return self.new_refresh_token(self.refresh.pop(refresh_token))

    def new_refresh_token(self, grant: Grant) -> str:
        """A refresh token of its own for a grant."""
        token = f"sandbox-refresh-{uuid.uuid4()}"
        self.refresh[token] = grant
        return token

    def grant(self, token: str, scopes: Iterable[str]) -> None:
        """Change what a token was granted; one that is not known becomes the first portal's."""
        access = self.access.setdefault(token, Access(FIRST_PORTAL, token=token))
        access.scopes = tuple(scopes)

    def revoke(self, token: str) -> None:
        """Make an access or refresh token worthless."""
        self.access.pop(token, None)
        self.refresh.pop(token, None)
