"""The rate limit that all threads share: HubSpot counts requests in a rolling ten seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from tap_hubspot_email_events.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEN_SECONDS = 10.0
MARGIN = 0.15
"""Seconds more, since two requests sent a window apart may arrive less than a window apart."""

_MOST_DIGITS = 9
LARGEST_MARGIN = 1.0
LARGEST_PAUSE = 10.0


class Limiter:
    """Lets threads send requests only as fast as the account allows.

    What other apps use of the account's limit is learnt from what HubSpot says remains.
    """

    def __init__(
        self, requests_per_10_seconds: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow `requests_per_10_seconds` until HubSpot reports a lower limit."""
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = requests_per_10_seconds
        self._margin = MARGIN
        self._sent: deque[float] = deque()
        self._others = 0
        self._others_seen = float("-inf")
        self._paused_until = float("-inf")
        self._pauses = 0
        self.successes = 0
        self.waited = 0.0
        # As HubSpot reports them, None until it does; no daily ones come with OAuth.
        self.requests_per_10_seconds: int | None = None
        self.daily: int | None = None
        self.daily_remaining: int | None = None

    def delay(self) -> float:
        """Count a request and return 0 if it may be sent now, else return the seconds to wait."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            delay = self._paused_until - now
            allowed = self._allowed(now)
            if len(self._sent) >= allowed:
                delay = max(delay, self._sent[-allowed] + TEN_SECONDS + self._margin - now)
            if delay > 0:
                return delay
            self._sent.append(now)
            return 0.0

    def _allowed(self, now: float) -> int:
        others = self._others if now - self._others_seen <= TEN_SECONDS else 0
        # What others use is taken off the account's limit, not off this tap's share of it.
        reported = self.requests_per_10_seconds
        account = self._limit if reported is None else max(1, reported)
        most = min(self._limit, account)
        # Some requests always go out, or the tap would never learn that others have stopped.
        return max(1, most // 20, min(most, account - others))

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0] <= now - TEN_SECONDS - self._margin:
            self._sent.popleft()

    def acquire(self, stop: threading.Event) -> None:
        """Wait until a request may be sent, and count it.

        Raises:
            StoppedError: The run ended first.
        """
        while (delay := self.delay()) > 0:
            started = time.monotonic()
            stopped = stop.wait(min(delay, 1.0))
            with self._lock:
                self.waited += time.monotonic() - started
            if stopped:
                raise StoppedError

    def learn(self, headers: Mapping[str, str]) -> None:
        """Note a success and take over the limits that its headers report."""
        with self._lock:
            now = self._clock()
            self.successes += 1
            self._pauses = 0
            limit, remaining = _number(headers, "Max"), _number(headers, "Remaining")
            if limit is not None and remaining is not None:
                self._forget(now)
                self._others = max(0, limit - remaining - len(self._sent))
                self._others_seen = now
                self.requests_per_10_seconds = limit
            daily, daily_remaining = _number(headers, "Daily"), _number(headers, "Daily-Remaining")
            if daily is not None and daily_remaining is not None:
                self.daily, self.daily_remaining = daily, daily_remaining

    def throttled(self, policy: str, wait: float | None) -> float:
        """Hold all requests after a 429, for `wait` seconds if HubSpot named them.

        Returns:
            The seconds until requests may be sent again.
        """
        with self._lock:
            now = self._clock()
            if wait is None:
                first = 0.25 if policy == "SECONDLY" else 1.0
                wait = min(LARGEST_PAUSE, first * 2 ** min(self._pauses, 10))
            if now + wait > self._paused_until:
                self._paused_until = now + wait
                self._pauses += 1
                self._margin = min(LARGEST_MARGIN, 2 * self._margin)
            return self._paused_until - now


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"X-HubSpot-RateLimit-{name}", "")
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None
