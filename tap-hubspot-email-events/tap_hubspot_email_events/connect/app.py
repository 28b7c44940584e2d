"""A HubSpot app, which trades the code of a consent for a refresh token."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import msgspec

from tap_hubspot_email_events.errors import TapError
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH
from tap_hubspot_email_events.hubspot.api import HubSpotApi
from tap_hubspot_email_events.hubspot.client import RequestCount
from tap_hubspot_email_events.hubspot.token_endpoint import request_tokens
from tap_hubspot_email_events.hubspot.transport import Transport
from tap_hubspot_email_events.settings import Settings

USER_AGENT = "tap-hubspot-email-events-connect"


class _Details(msgspec.Struct, rename="camel"):
    portal_id: int
    account_type: str = ""
    ui_domain: str = ""

    def sentence(self) -> str:
        about = ", ".join(each for each in (self.account_type, self.ui_domain) if each)
        return f"Connected HubSpot account {self.portal_id}" + (f" ({about})." if about else ".")


_decode = msgspec.json.Decoder(_Details).decode


@dataclass(frozen=True, slots=True)
class App:
    """A HubSpot app, and where its API is."""

    client_id: str
    client_secret: str
    api_url: str
    redirect_uri: str

    def connect(self, code: str) -> tuple[str, str]:
        """Trade a code for a refresh token.

        Returns:
            The refresh token, and a sentence that names the account.

        Raises:
            TapError: HubSpot refuses the code, or does not answer.
        """
        transport = Transport(1, USER_AGENT)
        try:
            tokens = request_tokens(
                transport,
                self.api_url,
                {
                    "grant_type": "authorization_code",
                    "client_id": self.client_id,
                    "client_secret": self.client_secret,
                    "redirect_uri": self.redirect_uri,
                    "code": code,
                },
                threading.Event(),
                refusal="HubSpot gave no tokens (HTTP {status}); check that client id and client "
                "secret are those of the same app, then run the command again.",
            )
        finally:
            transport.close()
        if not tokens.refresh_token:
            raise TapError("HubSpot gave no refresh token; run the command again.")
        settings = Settings(access_token=tokens.access_token, api_url=self.api_url, max_retries=3)
        client = HubSpotApi(settings, USER_AGENT).client
        details = client.get(ACCOUNT_PATH, {}, _decode, RequestCount())
        return tokens.refresh_token, details.sentence()
