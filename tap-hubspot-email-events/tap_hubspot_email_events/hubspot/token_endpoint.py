"""HubSpot's OAuth token endpoint, which trades a code or a refresh token for tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.common.session import UnansweredError
from tap_hubspot_email_events.errors import AccountError, StoppedError
from tap_hubspot_email_events.hubspot.answers import Accept, Retry, Throttle, decide

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from tap_hubspot_email_events.hubspot.transport import Transport

TOKEN_PATHS = ("/oauth/2026-03/token", "/oauth/v1/token")
"""The dated endpoint, and the one it replaces, which HubSpot removes on 2027-02-16."""

ATTEMPTS = 5


class Tokens(msgspec.Struct):
    """An answer of the endpoint; the access token expires in `expires_in` seconds.

    The older endpoint does not name the scopes.
    """

    access_token: str
    expires_in: float = 1800.0
    refresh_token: str | None = None
    scopes: Any = None


def request_tokens(
    transport: Transport,
    url: str,
    form: Mapping[str, str],
    stop: threading.Event,
    *,
    refusal: str,
) -> Tokens:
    """Request tokens from the API at `url`, with retries.

    Raises:
        AccountError: The endpoint cannot be used, or refuses; `refusal` is the sentence for the
            latter, with a placeholder for the HTTP status.
        StoppedError: The run ended first.
    """
    paths = list(TOKEN_PATHS)
    reason = ""
    for attempt in range(ATTEMPTS):
        wait = float(2**attempt) / 2
        try:
            answer = transport.send("POST", url + paths[0], data=form)
        except UnansweredError as error:
            reason = str(error)
        else:
            if answer.status == 404 and len(paths) > 1:  # noqa: PLR2004 - HTTP's own number
                paths.pop(0)
                wait = 0.0
            else:
                match decide(answer.status, answer.headers, answer.body):
                    case Accept():
                        return _decode(answer.body)
                    case Retry(reason=said, wait=asked):
                        reason, wait = said, max(wait, asked)
                    case Throttle(wait=throttled):
                        reason, wait = "HTTP 429", max(wait, throttled or 0.0)
                    case _:
                        raise AccountError(refusal.format(status=answer.status))
        if stop.wait(wait):
            raise StoppedError
    raise AccountError(
        f"HubSpot's OAuth token endpoint could not be used ({reason}); check the network and "
        "`api_url`, then run again."
    )


def _decode(body: bytes) -> Tokens:
    try:
        return msgspec.json.decode(body, type=Tokens)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AccountError(
            "The OAuth token endpoint answered with something other than a token; check "
            "`api_url` and any proxy in between."
        ) from None
