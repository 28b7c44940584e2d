"""The command `tap-hubspot-email-events-connect`."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click
import msgspec

from tap_hubspot_email_events.common.command import Command
from tap_hubspot_email_events.common.configuration import clean_secret
from tap_hubspot_email_events.common.output import check_replaceable, explained, say
from tap_hubspot_email_events.common.text import fit
from tap_hubspot_email_events.connect.consent import ConsentListener, redirect_address
from tap_hubspot_email_events.connect.env_file import set_variable
from tap_hubspot_email_events.errors import ConfigError, TapError
from tap_hubspot_email_events.hubspot.account import ACCOUNT_PATH
from tap_hubspot_email_events.hubspot.client import HubSpotClient, RequestCount
from tap_hubspot_email_events.hubspot.token_endpoint import request_tokens
from tap_hubspot_email_events.hubspot.transport import Transport
from tap_hubspot_email_events.settings import Settings, checked_address

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "TAP_HUBSPOT_EMAIL_EVENTS"
SECRET_VARIABLE = f"{PREFIX}_CLIENT_SECRET"
CONSENT_PAGE = "https://app.hubspot.com/oauth/authorize"
SCOPES = ("oauth", "content")
PORT = 8723
USER_AGENT = "tap-hubspot-email-events-connect"


@click.command(cls=Command)
@click.option("--client-id", envvar=f"{PREFIX}_CLIENT_ID", help="Client ID of the HubSpot app.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="One more scope to ask for, such as crm.objects.contacts.read for `contact_properties`. "
    f"Always asked for: {', '.join(SCOPES)}.",
)
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65535))
@click.option("--timeout", default=300.0, show_default=True, help="Seconds to wait for consent.")
@click.option("--no-browser", is_flag=True, help="Only print the address to open.")
@click.option("--print", "only_print", is_flag=True, help="Print the token, write no file.")
@click.option(
    "--env-file",
    default=".env",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that gets the refresh token.",
)
@click.option(
    "--variable",
    default=f"{PREFIX}_REFRESH_TOKEN",
    show_default=True,
    help="Name of the variable in the file.",
)
@click.option("--authorize-url", default=CONSENT_PAGE, show_default=True)
@click.option("--api-url", envvar=f"{PREFIX}_API_URL", default="https://api.hubapi.com")
def main(  # noqa: PLR0913 - the command's options
    *,
    client_id: str | None,
    scopes: tuple[str, ...],
    port: int,
    timeout: float,
    no_browser: bool,
    only_print: bool,
    env_file: Path,
    variable: str,
    authorize_url: str,
    api_url: str,
) -> None:
    """Connect a HubSpot account by OAuth and keep its refresh token.

    The app's client secret is read from TAP_HUBSPOT_EMAIL_EVENTS_CLIENT_SECRET, or asked for.
    """
    try:
        app = App(
            clean_secret(client_id or "") or _missing_client_id(),
            _client_secret(),
            checked_address("--api-url", api_url),
            redirect_address(port),
        )
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        consent_page = checked_address("--authorize-url", authorize_url)
        page = app.address_of(consent_page, dict.fromkeys([*SCOPES, *scopes]), state, verifier)
        if not only_print:
            _check_writable(env_file)

        def redeem(code: str) -> str:
            refresh_token, sentence = app.connect(code, verifier)
            if only_print:
                say(sentence, err=True)
                click.echo(refresh_token)
            else:
                _write(env_file, variable, refresh_token)
                say(f"{sentence} {variable} is set in {env_file}.")
                if os.environ.get(f"{PREFIX}_ACCESS_TOKEN"):
                    say(f"Remove {PREFIX}_ACCESS_TOKEN now: the tap takes one or the other.")
            return sentence

        with ConsentListener(port, state, redeem) as listener:
            for line in ("Open this address to connect an account:", "", f"    {page}", ""):
                say(line, err=True)
            if not no_browser:
                # In a thread, since some browsers only return when they are closed.
                threading.Thread(target=webbrowser.open, args=[page], daemon=True).start()
            listener.wait(timeout)
    except TapError as error:
        say(error, err=True)
        sys.exit(1)


class _Details(msgspec.Struct, rename="camel"):
    portal_id: int
    account_type: str = ""
    ui_domain: str = ""

    def sentence(self) -> str:
        about = ", ".join(fit(each) for each in (self.account_type, self.ui_domain) if each)
        return f"Connected HubSpot account {self.portal_id}" + (f" ({about})." if about else ".")


_decode = msgspec.json.Decoder(_Details).decode


@dataclass(frozen=True, slots=True)
class App:
    """A HubSpot app, and where its API is."""

    client_id: str
    client_secret: str
    api_url: str
    redirect_uri: str

    def address_of(self, page: str, scopes: Iterable[str], state: str, verifier: str) -> str:
        """The address of the consent page for this app.

        HubSpot's reference of the dated token endpoint has a `code_verifier` (RFC 7636), that of
        the consent page says nothing of its challenge; who does not know one leaves it out of
        account (RFC 6749, 3.1).
        """
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{page}?{urlencode(query)}"

    def connect(self, code: str, verifier: str) -> tuple[str, str]:
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
                    "code_verifier": verifier,
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
        client = HubSpotClient(settings, USER_AGENT)
        details = client.get(ACCOUNT_PATH, {}, _decode, RequestCount())
        return tokens.refresh_token, details.sentence()


def _check_writable(path: Path) -> None:
    with explained(
        f"The file {path} cannot be written to",
        "name another one with `--env-file`, or let the token be printed with `--print`",
        ConfigError,
    ):
        check_replaceable(path)


def _write(path: Path, variable: str, refresh_token: str) -> None:
    try:
        set_variable(path, variable, refresh_token)
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"The refresh token could not be written to {path}; check the file and its folder, "
            "or run the command again with `--print`."
        ) from None


def _missing_client_id() -> str:
    raise ConfigError(
        f"No client ID: set {PREFIX}_CLIENT_ID to the one in the HubSpot app's settings, or give "
        "`--client-id`."
    )


def _client_secret() -> str:
    if secret := clean_secret(os.environ.get(SECRET_VARIABLE, "")):
        return secret
    if not sys.stdin.isatty():
        raise ConfigError(
            f"No client secret: set {SECRET_VARIABLE} to the one in the HubSpot app's settings."
        )
    secret = click.prompt("Client secret of the HubSpot app", hide_input=True, err=True)
    return clean_secret(str(secret))
