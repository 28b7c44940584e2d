"""When the reader waits too long for one request at a time. Pure: times are given."""

from __future__ import annotations

SPAN_SECONDS = 1.0
MAX_WAIT_SECONDS = 0.1
"""Where answers come at once, the reader waits for 0.01 to 0.06 s in a second."""


class Backpressure:
    """Decides by how long the reader has waited whether requests should travel side by side.

    Sending threads compete with the reader for the interpreter lock, so where answers come at
    once, one of them delivers more than four.
    """

    def __init__(self) -> None:
        """Start without any wait."""
        self._since = 0.0
        self._waited = 0.0

    def is_high(self, begun: float, ended: float) -> bool:
        """Add a wait (in seconds) and tell whether those of the last second are too long."""
        if begun - self._since > SPAN_SECONDS:
            self._since = begun
            self._waited = 0.0
        self._waited += ended - begun
        return self._waited >= MAX_WAIT_SECONDS
