"""Threads that wait for work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class IdleThreads:
    """Threads waiting for work, each on a condition of its own so that no wake-up is wasted.

    All conditions share one lock, which must be held for every call.
    """

    def __init__(self) -> None:
        """Start without any waiting thread."""
        self._waiting: list[threading.Condition] = []

    def wait(self, condition: threading.Condition, seconds: float, *, again: bool) -> None:
        """Wait on the calling thread's condition, for `seconds` at most.

        The thread that became idle last is woken first, since its memory is still cached. One that
        waits again, having found no work in between, is woken after all others.
        """
        self._waiting.insert(0 if again else len(self._waiting), condition)
        condition.wait(seconds)
        if condition in self._waiting:
            self._waiting.remove(condition)

    def wake(self, count: int) -> None:
        """Wake up to `count` threads."""
        for _ in range(min(count, len(self._waiting))):
            self._waiting.pop().notify()
