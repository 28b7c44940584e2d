"""Bearer tokens: a fixed access token, or OAuth access tokens from a refresh token."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from tap_hubspot_email_events.hubspot.token_endpoint import request_tokens
from tap_hubspot_email_events.settings import OAUTH_SETTINGS

if TYPE_CHECKING:
    from tap_hubspot_email_events.hubspot.transport import Transport
    from tap_hubspot_email_events.settings import Settings

EARLY_SECONDS = 300.0
EARLY_SHARE = 0.2

logger = logging.getLogger(__name__)


class AccessToken:
    """The fixed token of a service key, an app or a private app."""

    advice = "check `access_token`: it is mistyped, expired, or was rotated or deleted in HubSpot"
    scopes: list[str] | None = None

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        """The token."""
        return self._token

    def renew(self, refused: str) -> None:
        """Do nothing, for the same token to be tried again: a single 401 may pass."""


class OAuth:
    """OAuth access tokens, renewed before they expire and when HubSpot refuses one."""

    advice = "connect the account to the app again: its access was revoked"

    def __init__(self, settings: Settings, transport: Transport, stop: threading.Event) -> None:
        self._transport = transport
        self._api_url = settings.api_url
        self._form = {
            "grant_type": "refresh_token",
            **{name: getattr(settings, name) for name in OAUTH_SETTINGS},
        }
        self._stop = stop
        self._lock = threading.Lock()
        self._access_token: str | None = None
        self._renew_at = 0.0
        self.scopes: list[str] | None = None

    def token(self) -> str:
        """An access token that has not expired.

        Raises:
            AccountError: HubSpot gives no token.
        """
        with self._lock:
            if self._access_token is None or time.monotonic() >= self._renew_at:
                self._access_token = self._fetch()
            return self._access_token

    def renew(self, refused: str) -> None:
        """Forget a refused token, unless another thread has already replaced it."""
        with self._lock:
            if self._access_token == refused:
                self._access_token = None

    def _fetch(self) -> str:
        asked = time.monotonic()
        token = request_tokens(
            self._transport,
            self._api_url,
            self._form,
            self._stop,
            refusal="HubSpot gives no access token for this `client_id`, `client_secret` and "
            "`refresh_token` (HTTP {status}); check them, or connect the account again.",
        )
        early = min(EARLY_SECONDS, EARLY_SHARE * token.expires_in)
        self._renew_at = asked + token.expires_in - early
        if isinstance(token.scopes, list):
            self.scopes = [str(each) for each in token.scopes]
        if token.refresh_token and token.refresh_token != self._form["refresh_token"]:
            self._form["refresh_token"] = token.refresh_token
            logger.warning(
                "HubSpot has replaced the refresh token; this run goes on with the new one. If "
                "the next run is refused, connect the account again to store a fresh one."
            )
        return token.access_token


Authenticator = AccessToken | OAuth
"""A source of bearer tokens; its `advice` is for where HubSpot refuses the token for good."""


def authenticator(settings: Settings, transport: Transport, stop: threading.Event) -> Authenticator:
    """The source of tokens for the credentials of the settings."""
    if settings.access_token is not None:
        return AccessToken(settings.access_token)
    return OAuth(settings, transport, stop)
