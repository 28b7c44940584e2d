"""A service's clock, which tests may set."""

from __future__ import annotations

import time


class Clock:
    """Goes as fast as the machine's, and as far ahead of it or behind as it was set."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        """The time in seconds since the epoch."""
        return time.time() + self.ahead

    def set(self, at: float) -> None:
        """Go on from another time, in seconds since the epoch."""
        self.ahead = at - time.time()
