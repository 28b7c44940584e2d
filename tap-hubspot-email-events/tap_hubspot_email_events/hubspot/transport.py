"""One HTTP exchange with HubSpot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.common.session import Answer, Session, UnansweredError
from tap_hubspot_email_events.errors import AccountError

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_SECONDS = 120.0
"""The time for a request and its whole answer."""

MOST_BYTES = 4_000_000
"""The most bytes of an answer, unpacked: a page of 1,000 events has half a million to a million."""


class Transport:
    """Sends requests over a pool of open connections; safe to share by threads."""

    def __init__(self, connections: int, user_agent: str) -> None:
        """Allow at most `connections` requests in flight; further ones wait."""
        self._session = Session(user_agent, connections)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | bytes | None = None,
        token: str | None = None,
    ) -> Answer:
        """Send one request, its data a form or JSON as bytes, and receive the complete answer.

        Raises:
            UnansweredError: No complete answer came, or none in time.
            AccountError: Proxy or certificates of this machine let no request through.
        """
        headers = {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(data, bytes):
            headers["Content-Type"] = "application/json"
        try:
            return self._session.fetch(
                method,
                url,
                seconds=REQUEST_SECONDS,
                most_bytes=MOST_BYTES,
                headers=headers,
                params=params,
                data=data,
            )
        except UnansweredError as error:
            if error.obstacle.advice:
                raise AccountError(error.obstacle.sentence) from None
            raise

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
