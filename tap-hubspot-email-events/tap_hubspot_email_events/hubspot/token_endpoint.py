"""HubSpot's OAuth token endpoint: tokens for a code or a refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tap_hubspot_email_events.errors import AccountError, StoppedError
from tap_hubspot_email_events.hubspot.answers import Accept, Retry, Throttle, decide
from tap_hubspot_email_events.hubspot.transport import UnansweredError, UntrustedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from tap_hubspot_email_events.hubspot.transport import Answer, Transport

TOKEN_PATHS = ("/oauth/2026-03/token", "/oauth/v1/token")
"""The dated endpoint and the one it replaces, which HubSpot ends on 2027-02-16."""

ATTEMPTS = 5


class Tokens(msgspec.Struct):
    """What the endpoint gives; the life of the access token is in seconds."""

    access_token: str
    expires_in: float = 1800.0
    refresh_token: str | None = None


def request_tokens(
    transport: Transport,
    url: str,
    form: Mapping[str, str],
    stop: threading.Event,
    *,
    refusal: str,
) -> Tokens:
    """Ask the token endpoint at the API's address `url`, patiently.

    Raises:
        AccountError: It cannot be used, or says no; `refusal` is the sentence for that, with a
            place for the HTTP status.
        StoppedError: The run ended first.
    """
    answer = _ask(transport, url, form, stop, refusal)
    try:
        return msgspec.json.decode(answer.body, type=Tokens)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AccountError(
            "The OAuth token endpoint answered with something other than a token; check "
            "`api_url` and any proxy in between."
        ) from None


def _ask(
    transport: Transport, url: str, form: Mapping[str, str], stop: threading.Event, refusal: str
) -> Answer:
    paths = list(TOKEN_PATHS)
    reason = ""
    for attempt in range(ATTEMPTS):
        wait = float(2**attempt) / 2
        try:
            answer = transport.send("POST", url + paths[0], data=form)
        except UnansweredError as error:
            reason = str(error)
        except UntrustedError:
            raise AccountError(
                "The certificate of HubSpot's host could not be verified; check `api_url` and "
                "any proxy in between."
            ) from None
        else:
            if answer.status == 404 and len(paths) > 1:  # noqa: PLR2004 - HTTP's own number
                paths.pop(0)
                wait = 0.0
            else:
                match decide(answer.status, answer.headers, answer.body):
                    case Accept():
                        return answer
                    case Retry(reason=said, wait=asked):
                        reason, wait = said, max(wait, asked)
                    case Throttle(wait=pause):
                        reason, wait = "HTTP 429", max(wait, pause or 0.0)
                    case _:
                        raise AccountError(refusal.format(status=answer.status))
        if stop.wait(wait):
            raise StoppedError
    raise AccountError(
        f"HubSpot's OAuth token endpoint could not be used ({reason}); check the network and "
        "`api_url`, then run again."
    )
