"""One HTTP exchange with HubSpot."""

from __future__ import annotations

from typing import Any

from tap_hubspot_email_events.common.session import Answer, Session, UnansweredError
from tap_hubspot_email_events.errors import AccountError

REQUEST_SECONDS = 120.0
"""The time for a request and its whole answer."""

MOST_BYTES = 4_000_000
"""The most bytes of an answer, unpacked: a page of 1,000 events has half a million to a million."""


class Transport:
    """Sends requests over a pool of open connections; safe to share by threads."""

    def __init__(self, connections: int, user_agent: str) -> None:
        """Allow at most `connections` requests in flight; further ones wait."""
        self._session = Session(user_agent, connections)

    def send(self, method: str, url: str, *, token: str | None = None, **content: Any) -> Answer:
        """Send one request with content as `requests` takes it, and receive the complete answer.

        Raises:
            UnansweredError: No complete answer came, or none in time.
            AccountError: Proxy or certificates of this machine let no request through.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            return self._session.fetch(
                method,
                url,
                seconds=REQUEST_SECONDS,
                most_bytes=MOST_BYTES,
                headers=headers,
                **content,
            )
        except UnansweredError as error:
            if error.obstacle.advice:
                raise AccountError(error.obstacle.sentence) from None
            raise

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
