"""What the requests to all of Amplitude's APIs have in common."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from target_amplitude import LIBRARY
from target_amplitude.common.network import explain, proxies_and_certificates
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_amplitude.amplitude.delays import Delays

CONNECT_SECONDS = 10
LONGEST_WAIT = 3600.0
"""The longest wait that a `Retry-After` can ask for, in seconds."""

_PIECE_BYTES = 1024
_STEP_SECONDS = 0.2

logger = logging.getLogger("target-amplitude")


def new_session(url: str) -> requests.Session:
    """Prepare connections to the host of a URL."""
    session = requests.Session()
    session.trust_env = False
    for name, value in proxies_and_certificates(url).items():
        setattr(session, name, value)
    session.headers["User-Agent"] = LIBRARY
    return session


def why_unanswered(error: BaseException, url: str) -> str:
    """Return why a request to `url` failed by one of `FAILURES`.

    Raises:
        RunFailedError: If another attempt would be no use, for the set-up of this machine.
    """
    obstacle = explain(error, url, os.environ)
    if obstacle.advice:
        raise RunFailedError(obstacle.sentence) from None
    return obstacle.reason


def read_body(response: requests.Response, max_bytes: int, max_seconds: float) -> bytes | None:
    """Read the body of an answer; None if it is too large or takes too long."""
    until = time.monotonic() + max_seconds
    body = bytearray()
    pieces: Iterator[bytes] = response.iter_content(_PIECE_BYTES)
    for piece in pieces:
        body += piece
        if len(body) > max_bytes or time.monotonic() > until:
            return None
    return bytes(body)


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
        if seconds > self.delays.longest_retry:
            logger.warning("%s: %s; trying again in %.0f s.", self.url, reason, seconds)
        until = time.monotonic() + seconds
        # In steps, since signal handlers can only set a flag.
        while not self.is_interrupted():
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(_STEP_SECONDS, left))
        return False
