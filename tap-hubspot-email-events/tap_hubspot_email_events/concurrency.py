"""How many pages are worth reading at once. Pure: times come in."""

from __future__ import annotations

import math
from collections import deque

# Judged by so many pages, and all threads are let go until there are as many.
MEMORY = 8
FEWEST = 2


class Concurrency:
    """Tells how many threads have something to do while the others wait for answers.

    Threads that only wait for their turn at the interpreter slow down the one that has it, so where
    answers come at once, as from a server nearby, few read as much as many and leave processor
    time to whoever reads the output.
    """

    def __init__(self, most: int) -> None:
        """Allow up to `most` at once."""
        self._most = most
        self._seconds: deque[float] = deque(maxlen=MEMORY)
        self._cpu_seconds: deque[float] = deque(maxlen=MEMORY)

    def note(self, seconds: float, cpu_seconds: float) -> None:
        """Learn what a page took, from asking for it to its lines, and how much of it was work."""
        self._seconds.append(seconds)
        self._cpu_seconds.append(cpu_seconds)

    @property
    def worthwhile(self) -> int:
        """How many pages may be read at once."""
        work = sum(self._cpu_seconds) / MEMORY
        if len(self._seconds) < MEMORY or work <= 0:
            return self._most
        # The fastest, since others may have waited for each other and not for HubSpot.
        return min(self._most, max(FEWEST, math.ceil(min(self._seconds) / work)))
