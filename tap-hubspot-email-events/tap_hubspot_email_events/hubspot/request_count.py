"""How many requests something has cost."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class RequestCount:
    """The requests sent so far and how many of them were retries; safe to share by threads."""

    requests: int = 0
    retried: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, retried: bool) -> None:
        """Count one request."""
        with self._lock:
            self.requests += 1
            self.retried += retried
