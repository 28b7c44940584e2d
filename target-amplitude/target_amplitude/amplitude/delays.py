"""How long a run waits, and for what; all in seconds."""

from __future__ import annotations

import random

import msgspec


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """Delays of one run.

    Attributes:
        first_retry: Delay before the first retry; each further one is twice as long.
        longest_retry: The longest delay before a retry.
        throttle: Delay of a throttled user, by endpoint: 30 s for `/2/httpapi`, a short period
            such as 15 s for `/batch` (Amplitude's references of the two).
        partial_batch: How long a state waits before batches that are not full are sent for it.
        termination: How long a signal leaves for delivering what was read.
    """

    first_retry: float = 0.5
    longest_retry: float = 15.0
    throttle: dict[str, float] = msgspec.field(
        default_factory=lambda: {"batch": 15.0, "httpapi": 30.0},
    )
    partial_batch: float = 5.0
    termination: float = 30.0

    def backoff(self, failures: int) -> float:
        """Return the delay after so many failures in a row, with jitter."""
        longest = min(self.longest_retry, self.first_retry * 2.0 ** min(failures - 1, 30))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, hides nothing
