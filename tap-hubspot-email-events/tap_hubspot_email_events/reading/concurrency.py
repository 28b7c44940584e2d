"""How many pages are worth reading at once. Pure: times come in."""

from __future__ import annotations

import math
from collections import deque

# Judged by so many pages, and all threads are let go until there are as many.
MEMORY = 8
FEWEST = 2
# A page that takes so much longer than others sits out a failure or a limit, so another may go.
HELD_UP_SECONDS = 0.25


class Concurrency:
    """Tells whether one more thread has something to do while the others wait for answers.

    Threads that only wait for their turn at the interpreter slow down the one that has it, so where
    answers come at once, as from a server nearby, few read as much as many and leave processor
    time to whoever reads the output.
    """

    def __init__(self, most: int) -> None:
        """Allow up to `most` pages at once."""
        self._most = most
        self._begun: list[float] = []
        self._seconds: deque[float] = deque(maxlen=MEMORY)
        self._cpu_seconds: deque[float] = deque(maxlen=MEMORY)

    def begin(self, now: float) -> None:
        """Note that a page is asked for at `now` (seconds)."""
        self._begun.append(now)

    def end(self, begun: float, now: float, cpu_seconds: float) -> None:
        """Note that a page asked for at `begun` is lines by `now`, and how much of it was work."""
        self._begun.remove(begun)
        self._seconds.append(now - begun)
        self._cpu_seconds.append(cpu_seconds)

    def has_room(self, now: float) -> bool:
        """Whether another page is worth asking for at `now`."""
        most = self._worthwhile()
        if len(self._begun) < most:
            return True
        held_up = sum(now - begun > HELD_UP_SECONDS for begun in self._begun)
        return len(self._begun) - held_up < most

    def _worthwhile(self) -> int:
        work = sum(self._cpu_seconds) / MEMORY
        if len(self._seconds) < MEMORY or work <= 0:
            return self._most
        # The fastest, since others may have waited for each other and not for HubSpot.
        return min(self._most, max(FEWEST, math.ceil(min(self._seconds) / work)))
