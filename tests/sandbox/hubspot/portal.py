"""The local HubSpot as a whole: accounts, tokens, limits, and the guard before each call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sandbox.clock import Clock
from sandbox.hubspot.answers import Refusal
from sandbox.hubspot.behaviour import Behaviour
from sandbox.hubspot.limits import Limits, Usage
from sandbox.hubspot.store import Account
from sandbox.hubspot.tokens import FIRST_PORTAL, PORTALS, Access, Tokens

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

Answer = Callable[["Request", Access], Awaitable["Response"]]


class HubSpot:
    """Everything the local HubSpot knows."""

    def __init__(self) -> None:
        self.reset(Limits())

    def reset(self, limits: Limits) -> None:
        """Begin anew, without events and with the tokens of the start."""
        self.clock = Clock()
        self.accounts = {portal_id: Account(portal_id, self.clock) for portal_id in PORTALS}
        self.usage = {portal_id: Usage() for portal_id in PORTALS}
        self.tokens = Tokens()
        self.limits = limits
        self.behaviour = Behaviour()
        self._asked: Counter[str] = Counter()

    def now(self) -> float:
        """HubSpot's time, in seconds since the epoch."""
        return self.clock.now()

    def asks_again(self, query: str) -> bool:
        """Whether the same was asked an odd number of times before."""
        self._asked[query] += 1
        return self._asked[query] % 2 == 0

    def account(self, portal_id: int = FIRST_PORTAL) -> Account:
        """An account by its portal id."""
        return self.accounts[portal_id]

    def guarded(self, answer: Answer, *scopes: str) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint behind HubSpot's checks: token, limits, scopes, in that order."""

        async def endpoint(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                access = self.tokens.check(request.headers.get("authorization"))
                usage = self.usage[access.portal_id]
                headers = usage.take(self.limits, oauth=access.oauth)
                access.require(*scopes)
                response = await answer(request, access)
            except Refusal as refusal:
                response = refusal.response()
            if self.behaviour.limit_headers:
                response.headers.update(headers)
            return response

        return endpoint
