"""HubSpot's request limits: rolling ten seconds and a day, both per account."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

import msgspec

from sandbox.hubspot.answers import too_many_requests

TEN_SECONDS = 10.0


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """What an account may do; 0 means without limit."""

    requests_per_10_seconds: int = 190
    daily_limit: int = 625_000


@dataclass
class Usage:
    """What an account has done lately."""

    daily_used: int = 0
    _moments: deque[float] = field(default_factory=deque)

    def take(self, limits: Limits, *, oauth: bool) -> dict[str, str]:
        """Count one request and return the headers that tell about the limits.

        Raises:
            Refusal: One of the limits is used up; the request is not counted then.
        """
        now = time.monotonic()
        while self._moments and self._moments[0] <= now - TEN_SECONDS:
            self._moments.popleft()
        if limits.daily_limit and not oauth and self.daily_used >= limits.daily_limit:
            raise too_many_requests("DAILY", self._headers(limits, oauth=oauth))
        most = limits.requests_per_10_seconds
        if most and len(self._moments) >= most:
            raise too_many_requests("TEN_SECONDLY_ROLLING", self._headers(limits, oauth=oauth))
        self.count(1)
        return self._headers(limits, oauth=oauth)

    def count(self, requests: int) -> None:
        """Count requests, of the caller or of another app in the same account."""
        self._moments.extend([time.monotonic()] * requests)
        self.daily_used += requests

    def _headers(self, limits: Limits, *, oauth: bool) -> dict[str, str]:
        headers = {}
        if limits.requests_per_10_seconds:
            left = limits.requests_per_10_seconds - len(self._moments)
            headers["X-HubSpot-RateLimit-Max"] = str(limits.requests_per_10_seconds)
            headers["X-HubSpot-RateLimit-Remaining"] = str(max(0, left))
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
        if limits.daily_limit and not oauth:
            left = limits.daily_limit - self.daily_used
            headers["X-HubSpot-RateLimit-Daily"] = str(limits.daily_limit)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, left))
        return headers
