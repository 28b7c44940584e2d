"""What the requests to all of Amplitude's APIs have in common."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.common.session import UnansweredError

LONGEST_WAIT = 3600.0
"""The longest wait that a `Retry-After` can ask for, in seconds."""

_LONG_WAIT = 60.0
_STEP_SECONDS = 0.2

logger = logging.getLogger("target-amplitude")


def reason_or_raise(error: UnansweredError) -> str:
    """Return why a request had no answer.

    Raises:
        RunFailedError: If another attempt would be no use, for the set-up of this machine.
    """
    if error.obstacle.advice:
        raise RunFailedError(error.obstacle.sentence) from None
    return error.obstacle.reason


def say_wait(reason: str, seconds: float) -> None:
    """Log that a request is sent again; a long wait is a warning."""
    level = logging.WARNING if seconds > _LONG_WAIT else logging.INFO
    longest = ", the longest wait" if seconds >= LONGEST_WAIT else ""
    logger.log(level, "%s; trying again in %.1f s%s.", reason, seconds, longest)


@dataclass(slots=True)
class Retries:
    """The failed attempts of one request, and the waits between them.

    The `Retry` of urllib3 ends at the headers: an answer whose body is cut is not tried again, and
    a `Retry-After` of neither form is an exception.

    Attributes:
        url: What is asked, for messages.
        most: Number of retries.
        delays: How long to wait where the answer does not say.
        is_interrupted: Ends a wait.
        failures: Number of attempts that failed so far.
    """

    url: str
    most: int
    delays: Delays
    is_interrupted: Callable[[], bool] = lambda: False
    failures: int = 0

    def wait(self, reason: str, retry_after: float | None = None) -> bool:
        """Wait after a failed attempt until the next one; False if interrupted.

        Raises:
            RunFailedError: If there are no retries left.
        """
        self.failures += 1
        if self.failures > self.most:
            raise RunFailedError(
                f"{self.url} gave no answer that counts after {self.most} retries "
                f"(last: {reason}); run it again later.",
            )
        seconds = min(retry_after or self.delays.backoff(self.failures), LONGEST_WAIT)
        say_wait(f"{self.url}: {reason}", seconds)
        until = time.monotonic() + seconds
        # In steps, since signal handlers can only set a flag.
        while not self.is_interrupted():
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(_STEP_SECONDS, left))
        return False
