"""Log lines about how far a run is and how it ended, without personal data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.limiter import Limiter
    from tap_hubspot_email_events.reading.stream_sync import StreamSync

REPORT_SECONDS = 10.0


class ProgressLog:
    """Logs the progress of all streams, about every ten seconds."""

    def __init__(self, logger: logging.Logger, limiter: Limiter) -> None:
        """Wait ten seconds before the first line, so that short runs have none."""
        self._logger = logger
        self._limiter = limiter
        self._next = time.monotonic() + REPORT_SECONDS
        self._waited = 0.0

    def report(self, syncs: Sequence[StreamSync]) -> None:
        """Log one line per stream being read, if it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + REPORT_SECONDS
        waited, self._waited = self._limiter.waited - self._waited, self._limiter.waited
        for sync in syncs:
            if not sync.done:
                self._logger.info(
                    "%s: read up to %s, %d events, %d requests",
                    sync.name,
                    format_timestamp(sync.reached),
                    sync.written,
                    sync.count.requests,
                )
        if waited > 0:
            self._logger.info(
                "Waited %.1f s for HubSpot's rate limit since the last report (all threads)",
                waited,
            )


def summary(sync: StreamSync) -> str:
    """One line about a stream that has ended."""
    return (
        f"{sync.name}: {sync.written} events in {sync.count.requests} requests "
        f"({sync.count.retried} of them retries), {sync.seconds:.1f} s, "
        f"{format_timestamp(sync.start)} to {format_timestamp(sync.reached)}"
        + (", incomplete" if not sync.complete else "")
    )
