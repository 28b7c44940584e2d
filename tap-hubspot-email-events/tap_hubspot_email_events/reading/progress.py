"""What the tap says while it works and when it is done, without anybody's data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.limiter import Limiter
    from tap_hubspot_email_events.reading.stream_sync import Lane

REPORT_SECONDS = 10.0


class ProgressLog:
    """Logs how far the streams are, about every ten seconds."""

    def __init__(self, logger: logging.Logger, limiter: Limiter) -> None:
        """Say the first thing after ten seconds: short runs need none."""
        self._logger = logger
        self._limiter = limiter
        self._next = time.monotonic() + REPORT_SECONDS
        self._waited = 0.0

    def report(self, lanes: Sequence[Lane]) -> None:
        """Log one line for each stream at work, when it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + REPORT_SECONDS
        waited, self._waited = self._limiter.waited - self._waited, self._limiter.waited
        for lane in lanes:
            if not lane.done:
                self._logger.info(
                    "%s: read up to %s, %d events, %d requests",
                    lane.name,
                    format_timestamp(lane.reached),
                    lane.written,
                    lane.tally.requests,
                )
        if waited > 0:
            self._logger.info(
                "Waited %.1f s for HubSpot's rate limit since the last report (all threads)",
                waited,
            )


def summary(lane: Lane) -> str:
    """One line about a stream that has ended."""
    return (
        f"{lane.name}: {lane.written} events in {lane.tally.requests} requests "
        f"({lane.tally.retried} of them retries), {lane.seconds:.1f} s, "
        f"{format_timestamp(lane.start)} to {format_timestamp(lane.reached)}"
        + (", incomplete" if not lane.complete else "")
    )
