"""What an answer from HubSpot means: a table from status, headers and body to a decision."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT = 300.0
_ADDRESS = re.compile(r"[^\s\"'<>(),;:]+(?:@|%40)[^\s\"'<>(),;]+", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_\-.=+/]{20,}")
_LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Accept:
    """Use the body."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Send the request again after at least `wait` seconds; `lost` if no answer came at all."""

    reason: str
    wait: float = 0.0
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Throttle:
    """Hold all requests: the limit `policy` is used up, for `wait` seconds if HubSpot says so."""

    policy: str
    wait: float | None


@dataclass(frozen=True, slots=True)
class Reauthorise:
    """The token was refused."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Give up: sending the request again will not help."""

    sentence: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class DailyLimitReached:
    """The account's requests for today are used up."""


Decision = Accept | Retry | Throttle | Reauthorise | Refuse | DailyLimitReached


def decide(  # noqa: C901, PLR0911 - a table: one return for each row
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime | None = None,
    scope: str = "content",
) -> Decision:
    """Decide what to do about an answer.

    Status codes as developers.hubspot.com/docs/api-reference/error-handling lists them and as
    public connectors have met them.

    Args:
        status: HTTP status.
        headers: Response headers, by case-insensitive name.
        body: The body as received.
        now: When it came, for a `Retry-After` that is a date.
        scope: The scope that the request needs.
    """
    if status < 300:  # noqa: PLR2004 - HTTP's classes of answers
        return Accept()
    error = _error(body)
    said = _quote(error)
    wait = retry_after(headers, now=now)
    match status:
        case 401:
            # Expired, revoked or mistyped tokens; also every use of the API keys retired in 2022.
            return Reauthorise(said)
        case 403:
            return Refuse(_forbidden(error, said, scope))
        case 404 | 410:
            # The endpoint is legacy: HubSpot may take it away without a successor.
            return Refuse(
                f"HubSpot has no such address (HTTP {status}); check `api_url`, and whether "
                "HubSpot still offers this API",
                missing=True,
            )
        case 414:
            return Refuse("HubSpot found the request's address too long (HTTP 414)")
        case 408 | 425:
            return Retry(f"HTTP {status}", wait or 0.0)
        case 423:
            # HubSpot locks a resource that is being changed and asks for two seconds at least.
            return Retry("HTTP 423, locked", max(2.0, wait or 0.0))
        case 429:
            return _limited(error, wait)
        case 477:
            # The account is moving between data centres; Retry-After says for how long.
            return Retry("HTTP 477, the account is being moved", 10.0 if wait is None else wait)
        case _ if status >= 500:  # noqa: PLR2004
            # HubSpot's own failures (5xx) and those of Cloudflare in front of it (52x, 530).
            return Retry(f"HTTP {status}", wait or 0.0)
        case _ if status < 400:  # noqa: PLR2004
            return Refuse(f"the answer was a redirect (HTTP {status}); check `api_url`")
        case _:
            return Refuse(f"HubSpot refused the request (HTTP {status}){said}")


def _limited(error: Mapping[str, Any], wait: float | None) -> Decision:
    policy = str(error.get("policyName") or "").upper()
    message = str(error.get("message") or "").lower()
    if policy == "DAILY" or (not policy and "daily" in message):
        return DailyLimitReached()
    if not policy:
        policy = "SECONDLY" if " secondly" in message else "TEN_SECONDLY_ROLLING"
    return Throttle(policy, wait)


def _forbidden(error: Mapping[str, Any], said: str, scope: str) -> str:
    message = str(error.get("message") or "").lower()
    if "scope" in message or "permission" in message or not message:
        return (
            f"HubSpot refused the request (HTTP 403): the token lacks the scope `{scope}`; add it "
            "to the private app, or connect the OAuth app again as a super admin"
        )
    return (
        f"HubSpot refused the request (HTTP 403){said}; check that the account has what is asked "
        f"for, marketing email above all, and the token the scope `{scope}`"
    )


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for, at most `LONGEST_WAIT`; None without one."""
    text = headers.get("Retry-After")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        seconds = (moment - (now or datetime.now(timezone.utc))).total_seconds()
    # NaN compares false with everything and so becomes 0.
    return min(seconds, LONGEST_WAIT) if seconds > 0 else 0.0


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        error = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return error if isinstance(error, dict) else {}


def _quote(error: Mapping[str, Any]) -> str:
    """HubSpot's own message, scrubbed; empty if there is none."""
    words = [str(error[key]) for key in ("category", "message") if error.get(key)]
    return f": {scrub(', '.join(words))}" if words else ""


def scrub(text: str) -> str:
    """Remove email addresses and anything long enough to be a token, and shorten the rest."""
    text = _TOKEN.sub("…", _ADDRESS.sub("…", " ".join(text.split())))
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
