"""What an answer from HubSpot means: a table from status, headers and body to a decision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tap_hubspot_email_events.common.http import retry_after
from tap_hubspot_email_events.common.text import scrub

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT = 300.0
LONG_WAIT = 20.0
"""Seconds from which on a wait is announced."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding an answer may raise."""

_ABOUT_SCOPES = re.compile(r"scope|permission|requires one of", re.IGNORECASE)
_SCOPES_IN_WORDS = re.compile(r"requires one of \[([^\]]*)\]|required '([^']*)' scope")
_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,60}")
_MOST_SCOPES = 5
_DATA_CENTRE = re.compile(r"\b(?:na|eu|ap|ca)[1-9]\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Accept:
    """Use the body."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Send the request again after at least `wait` seconds; status 0 if no answer came at all."""

    reason: str
    wait: float = 0.0
    status: int = 0


@dataclass(frozen=True, slots=True)
class Throttle:
    """Hold all requests: the limit `policy` is used up, for `wait` seconds if HubSpot says so."""

    policy: str
    wait: float | None


@dataclass(frozen=True, slots=True)
class Reauthorise:
    """The token was refused."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Give up: sending the request again will not help."""

    sentence: str
    status: int


@dataclass(frozen=True, slots=True)
class DailyLimitReached:
    """The account's requests for today are used up."""


Decision = Accept | Retry | Throttle | Reauthorise | Refuse | DailyLimitReached


def decide(  # noqa: C901, PLR0911, PLR0912 - a table: one return for each row
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    scope: str = "content",
) -> Decision:
    """Decide what to do about an answer.

    Status codes as developers.hubspot.com/docs/api-reference/error-handling lists them and as
    public connectors have met them.

    Args:
        status: HTTP status.
        headers: Response headers, by case-insensitive name.
        body: The body as received.
        scope: The scope that the request needs.
    """
    if status < 300:  # noqa: PLR2004 - HTTP's classes of answers
        return Accept()
    error = _error(body)
    said = _quote(error)
    wait = retry_after(headers, LONGEST_WAIT)
    match status:
        case 401:
            # Expired, revoked or mistyped tokens; also every use of the API keys retired in 2022.
            return Reauthorise()
        case 403:
            return Refuse(_forbidden(error, body, said, scope), status)
        case 404 | 410:
            # The endpoint is legacy: HubSpot may take it away without a successor.
            return Refuse(
                f"HubSpot has no such address (HTTP {status}); check `api_url`, and whether "
                "HubSpot still offers this API",
                status,
            )
        case 414:
            return Refuse("HubSpot found the request's address too long (HTTP 414)", status)
        case 408 | 425:
            return Retry(f"HTTP {status}", wait or 0.0, status)
        case 423:
            # HubSpot locks a resource that is being changed and asks for two seconds at least.
            return Retry("HTTP 423, locked", max(2.0, wait or 0.0), status)
        case 429:
            return _limited(error, wait)
        case 477:
            # The account is moving between data centres; Retry-After says for how long.
            return Retry(
                "HTTP 477, the account is being moved", 10.0 if wait is None else wait, status
            )
        case 488:
            # The account lives in another of HubSpot's data centres than this host serves.
            return Refuse(_wrong_data_centre(body), status)
        case _ if status >= 500:  # noqa: PLR2004
            # HubSpot's own failures (5xx) and those of Cloudflare in front of it (52x, 530).
            return Retry(f"HTTP {status}", wait or 0.0, status)
        case _ if status < 400:  # noqa: PLR2004
            return Refuse(f"the answer was a redirect (HTTP {status}); check `api_url`", status)
        case _:
            return Refuse(f"HubSpot refused the request (HTTP {status}){said}", status)


def _limited(error: Mapping[str, Any], wait: float | None) -> Decision:
    policy = str(error.get("policyName") or "").upper()
    message = str(error.get("message") or "").lower()
    if policy == "DAILY" or (not policy and "daily" in message):
        return DailyLimitReached()
    if not policy:
        policy = "SECONDLY" if " secondly" in message else "TEN_SECONDLY_ROLLING"
    return Throttle(policy, wait)


def _forbidden(error: Mapping[str, Any], body: bytes, said: str, scope: str) -> str:
    """What a 403 is about.

    Its body differs by endpoint and kind of token (seen in production by Estuary's connector): the
    scopes stand in `errors[].context`, or somewhere in the words, or nowhere.
    """
    message = str(error.get("message") or "")
    if not body.lstrip().startswith(b"{"):
        # One kind of answer is bare text.
        message = body[:1000].decode("utf-8", "replace")
    if error.get("category") == "MISSING_SCOPES" or _ABOUT_SCOPES.search(message) or not message:
        wanted = _scopes_named(error, message) or [scope]
        names = " or ".join(f"`{each}`" for each in wanted)
        return (
            f"HubSpot refused the request (HTTP 403): the token lacks the scope {names}; add it to "
            "the service key or app in HubSpot, and after a change of an OAuth app connect the "
            "account again as a super admin"
        )
    return (
        f"HubSpot refused the request (HTTP 403){said}; check that the account has what is asked "
        f"for, marketing email above all, and the token the scope `{scope}`"
    )


def _scopes_named(error: Mapping[str, Any], message: str) -> list[str]:
    named: list[Any] = []
    errors = error.get("errors")
    for each in errors if isinstance(errors, list) else ():
        context = each.get("context") if isinstance(each, dict) else None
        for key in ("requiredScopes", "requiredGranularScopes"):
            value = context.get(key) if isinstance(context, dict) else None
            named += value if isinstance(value, list) else []
    if not named and (found := _SCOPES_IN_WORDS.search(message)):
        named = re.split(r"[,\s]+", found[1] or found[2])
    scopes = [each for each in named if isinstance(each, str) and _SCOPE.fullmatch(each)]
    return list(dict.fromkeys(scopes))[:_MOST_SCOPES]


def _wrong_data_centre(body: bytes) -> str:
    named = _DATA_CENTRE.search(body[:1000].decode("utf-8", "replace"))
    host = f"https://api-{named[0].lower()}.hubapi.com" if named else "https://api-eu1.hubapi.com"
    return (
        "`api_url` leads to a data centre of HubSpot's that does not serve this account (HTTP "
        "488); set it to https://api.hubapi.com, which serves all, or to the account's own, "
        f"{host} for example"
    )


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        error = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    return error if isinstance(error, dict) else {}


def _quote(error: Mapping[str, Any]) -> str:
    """HubSpot's own message, scrubbed; empty if there is none."""
    words = [scrub(str(error[key])) for key in ("category", "message") if error.get(key)]
    return f": {', '.join(words)}" if words else ""
