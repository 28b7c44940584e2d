"""How many pages are worth reading at once, judged by how long they take."""

from __future__ import annotations

import math
from collections import deque

# Judged by the last so many pages; until there are as many, all threads may work.
RECENT_PAGES = 8
FEWEST = 2
# A page that takes this long is waiting for a retry or a limit, so it does not count.
HELD_UP_SECONDS = 0.25


class Concurrency:
    """Decides whether one more thread is useful while the others wait for answers.

    Threads that wait for the interpreter lock slow down the one that holds it. So where answers
    come at once, as from a server nearby, a few threads read as much as many, and leave processor
    time to the reader of the output. All times are in seconds.
    """

    def __init__(self, most: int) -> None:
        """Allow up to `most` pages at once."""
        self._most = most
        self._begun: list[float] = []
        self._seconds: deque[float] = deque(maxlen=RECENT_PAGES)
        self._cpu_seconds: deque[float] = deque(maxlen=RECENT_PAGES)

    def begin(self, now: float) -> None:
        """Note that a page is requested."""
        self._begun.append(now)

    def end(self, begun: float, now: float, cpu_seconds: float) -> None:
        """Note that a page requested at `begun` is encoded, which took `cpu_seconds` of work."""
        self._begun.remove(begun)
        self._seconds.append(now - begun)
        self._cpu_seconds.append(cpu_seconds)

    def has_room(self, now: float) -> bool:
        """Whether another page is worth requesting."""
        most = self._worthwhile()
        if len(self._begun) < most:
            return True
        held_up = sum(now - begun > HELD_UP_SECONDS for begun in self._begun)
        return len(self._begun) - held_up < most

    def _worthwhile(self) -> int:
        work = sum(self._cpu_seconds) / RECENT_PAGES
        if len(self._seconds) < RECENT_PAGES or work <= 0:
            return self._most
        # The fastest page, since the others may have waited for each other and not for HubSpot.
        return min(self._most, max(FEWEST, math.ceil(min(self._seconds) / work)))
