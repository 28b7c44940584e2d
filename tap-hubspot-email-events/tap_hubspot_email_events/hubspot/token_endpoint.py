"""HubSpot's OAuth token endpoint, which trades a code or a refresh token for tokens."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.common.session import UnansweredError
from tap_hubspot_email_events.errors import AccountError, StoppedError
from tap_hubspot_email_events.hubspot.answers import (
    LONG_WAIT,
    UNREADABLE,
    Accept,
    Retry,
    Throttle,
    decide,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from tap_hubspot_email_events.hubspot.transport import Transport

TOKEN_PATH = "/oauth/2026-03/token"  # noqa: S105 - an address
OLDER_TOKEN_PATH = "/oauth/v1/token"  # noqa: S105 - an address
"""Asked where the dated one is missing; HubSpot removes it on 2027-02-16."""

ATTEMPTS = 5
_TOKEN = re.compile(r"[\x21-\x7e]{1,10000}")
"""What a header can carry."""

logger = logging.getLogger(__name__)


class Tokens(msgspec.Struct):
    """An answer of the endpoint; the access token expires in `expires_in` seconds."""

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
    path = TOKEN_PATH
    reason = ""
    wait = 0.0
    for attempt in range(ATTEMPTS):
        _pause(wait, reason, stop)
        wait = float(2**attempt) / 2
        try:
            answer = transport.send("POST", url + path, data=form)
        except UnansweredError as error:
            reason = str(error)
            continue
        if answer.status == HTTPStatus.NOT_FOUND and path == TOKEN_PATH:
            path, wait = OLDER_TOKEN_PATH, 0.0
            continue
        match decide(answer.status, answer.headers, answer.body):
            case Accept():
                if tokens := _decode(answer.body):
                    return tokens
                reason = "it answered with something other than a token"
            case Retry(reason=said, wait=asked):
                reason, wait = said, max(wait, asked)
            case Throttle(wait=throttled):
                reason, wait = "HTTP 429", max(wait, throttled or 0.0)
            case _:
                raise AccountError(refusal.format(status=answer.status))
    raise AccountError(
        f"HubSpot's OAuth token endpoint could not be used ({reason}); check the network, "
        "`api_url` and any proxy in between, then run again."
    )


def _pause(seconds: float, reason: str, stop: threading.Event) -> None:
    if seconds >= LONG_WAIT:
        logger.warning("HubSpot's OAuth token endpoint asks to wait %.0f s (%s).", seconds, reason)
    if stop.wait(seconds):
        raise StoppedError


def _decode(body: bytes) -> Tokens | None:
    """Read the tokens; None where the answer holds none that can be used."""
    try:
        tokens = msgspec.json.decode(body, type=Tokens)
    except UNREADABLE:
        return None
    given = (tokens.access_token, tokens.refresh_token or tokens.access_token)
    is_usable = tokens.expires_in > 0 and all(map(_TOKEN.fullmatch, given))
    return tokens if is_usable else None
