"""``/email/public/v1/events``: the email events, newest first, a page at a time."""

from __future__ import annotations

import base64
import hashlib
import struct
from itertools import count
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from sandbox.hubspot.answers import Refusal, bad_value
from sandbox.hubspot.store import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from sandbox.hubspot.behaviour import Behaviour
    from sandbox.hubspot.portal import HubSpot
    from sandbox.hubspot.tokens import Access

EVENT_TYPES = (
    *("DROPPED", "UNBOUNCE", "STATUSCHANGE", "DELIVERED", "FORWARD", "BOUNCE", "REPLY", "PRINT"),
    *("PROCESSED", "UNSUBSCRIBED", "SUPPRESSED", "CLICK_ON_IDENTIFIED_LINK", "SENT", "SELECTED"),
    *("SPAMREPORT", "OPT_IN_CHANGE", "DEFERRED", "ERROR", "OPEN", "MTA_DROPPED", "CLICK"),
)
MOST_EVENTS = 1000
EVER = 2**63 - 1
OFFSET = struct.Struct(">qq8s")
JSON_TYPE = "application/json;charset=utf-8"


def routes(hubspot: HubSpot) -> list[Route]:
    """The routes of the email events."""

    async def page(request: Request, access: Access) -> Response:
        return read_page(hubspot, request.query_params, access)

    return [Route("/email/public/v1/events", hubspot.guarded(page, "content"))]


def read_page(hubspot: HubSpot, params: QueryParams, access: Access) -> Response:
    """Answer one query for events.

    Raises:
        Refusal: 400 for a parameter that HubSpot would not take, 500 for the epoch.
    """
    limit = whole_number(params.get("limit", "10"), "limit")
    if not 1 <= limit <= MOST_EVENTS:
        message = f"limit must be between 1 and {MOST_EVENTS}"
        raise Refusal(400, message, errors=[{"message": message, "in": "limit"}])
    behaviour = hubspot.behaviour
    kind = event_type(params.get("eventType"), behaviour)
    start = whole_number(params.get("startTimestamp", earliest(hubspot)), "startTimestamp")
    end = whole_number(params.get("endTimestamp", str(EVER)), "endTimestamp")
    wanted = excluding_filter(params, behaviour)
    if start == 0:
        # HubSpot's services fail on the epoch itself, as connectors have found.
        raise Refusal(500, "internal error", "INTERNAL_ERROR")
    bound_to = params.multi_items() if behaviour.offsets_bound else []
    if behaviour.offsets_of_token:
        bound_to = [*bound_to, ("token", access.token)]
    binding = digest(bound_to)
    offset = params.get("offset")
    before = None if offset is None else decode(offset, binding)
    span = behaviour.span(start, end)
    if before is not None and behaviour.offset_gives == "skips_one":
        limit += 1
    found = hubspot.account(access.portal_id).page(
        kind, span, before, min(limit, behaviour.most_events), wanted
    )
    payloads = found.payloads
    if before is not None and behaviour.offset_gives == "skips_one":
        payloads = payloads[1:]
    if before is not None and behaviour.offset_gives == "repeats_one":
        payloads = [*payloads[:1], *payloads]
    if behaviour.forgetful and hubspot.asks_again(str(params)):
        payloads = payloads[1:]
    last = found.last or before
    token = "CgoY__________9_" if last is None else encode(last, binding)
    more = b"true" if behaviour.has_more(found, first=before is None) else b"false"
    body = b'{"hasMore":%b,"offset":"%b","events":[%b]}' % (
        more,
        token.encode(),
        b",".join(behaviour.ordered(payloads)),
    )
    return Response(body, media_type=JSON_TYPE)


def event_type(value: str | None, behaviour: Behaviour) -> str | None:
    """The type that is asked for, None for all.

    Raises:
        Refusal: 400, HubSpot does not know it.
    """
    if value is None:
        return None
    if value not in EVENT_TYPES or value in behaviour.refused_types:
        expected = f"not one of the values accepted for Enum class: [{', '.join(EVENT_TYPES)}]"
        raise bad_value("com.hubspot.email.events.EventType", value, "eventType", expected)
    return None if "eventType" in behaviour.ignored_filters else value


def earliest(hubspot: HubSpot) -> str:
    """Where a query without a start begins."""
    days = hubspot.behaviour.history_days
    return str(int((hubspot.now() - days * 86_400) * 1000)) if days else "1"


def excluding_filter(params: QueryParams, behaviour: Behaviour) -> Callable[[bool], bool] | None:
    """Which events are wanted, by their ``filteredEvent``; None for all."""
    exclude = params.get("excludeFilteredEvents", "false")
    if exclude not in {"true", "false"}:
        expected = 'only "true" or "false" recognized'
        raise bad_value("boolean", exclude, "excludeFilteredEvents", expected)
    if exclude == "false" or "excludeFilteredEvents" in behaviour.ignored_filters:
        return None
    numbers = count()
    return lambda is_filtered: (
        not (is_filtered or (behaviour.excluded_too_much and next(numbers) % 2))
    )


def whole_number(value: str, name: str) -> int:
    """A parameter as a 64-bit number.

    Raises:
        Refusal: 400, it is something else.
    """
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and abs(int(digits)) <= EVER):
        raise bad_value("long", value, name, "not a valid `long` value")
    return int(value)


def digest(params: Iterable[tuple[str, str]]) -> bytes:
    """What ties an offset to the parameters that came with it."""
    bound = sorted((name, value) for name, value in params if name not in {"offset", "limit"})
    return hashlib.blake2b(repr(bound).encode(), digest_size=8).digest()


def encode(position: Position, binding: bytes) -> str:
    """An opaque offset; HubSpot's are base64url without padding, too."""
    packed = OFFSET.pack(position.created, position.sequence, binding)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(offset: str, binding: bytes) -> Position:
    """The place an offset stands for.

    Raises:
        Refusal: It is not one of ours, or it was given for other parameters.
    """
    try:
        packed = base64.b64decode(offset + "=" * (-len(offset) % 4), altchars=b"-_", validate=True)
        created, sequence, bound = OFFSET.unpack(packed)
    except (ValueError, struct.error):
        raise Refusal(400, "The offset is not valid.", errors=[{"message": "offset"}]) from None
    if bound != binding:
        raise Refusal(
            400,
            "The offset must be used with the same query parameters it was returned for.",
            errors=[{"message": "offset", "in": "offset"}],
        )
    return Position(created, sequence)
