"""When one request at a time is not enough. Pure: times come in."""

from __future__ import annotations

SPAN_SECONDS = 1.0
TOO_LONG_SECONDS = 0.1
# Where answers come at once, the reader waits for 0.01 to 0.06 s in a second.


class Congestion:
    """Tells from how long the reader waits whether more requests should travel at once.

    Threads that send take turns with the reader at the interpreter, so where answers come at once,
    one of them delivers more than four.
    """

    def __init__(self) -> None:
        """Start without any wait."""
        self._since = 0.0
        self._waited = 0.0

    def is_felt(self, begun: float, ended: float) -> bool:
        """Whether a wait from `begun` to `ended` (seconds), with those before it, is too long."""
        if begun - self._since > SPAN_SECONDS:
            self._since = begun
            self._waited = 0.0
        self._waited += ended - begun
        return self._waited >= TOO_LONG_SECONDS
