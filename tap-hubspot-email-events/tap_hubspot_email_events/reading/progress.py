"""Log lines about how far a run is, without personal data."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.limiter import Limiter
    from tap_hubspot_email_events.reading.stream_sync import StreamSync

REPORT_SECONDS = 10.0
# What takes more than this share of the time is what a run waits for.
MOST_OF_THE_TIME = 0.5
BUSY = 0.8


class ProgressLog:
    """Logs the progress of a run, one line about every ten seconds."""

    def __init__(self, logger: logging.Logger, limiter: Limiter) -> None:
        """Wait ten seconds before the first line, so that short runs have none."""
        self._logger = logger
        self._limiter = limiter
        # Seconds spent on writing, which wait for whoever reads the output.
        self.writing = 0.0
        self._started = self._last = time.monotonic()
        self._totals = (0, 0.0, 0.0, time.process_time())

    def report(self, syncs: Sequence[StreamSync]) -> None:
        """Log a line about all event streams and, for debugging, one per stream, if it is time."""
        now = time.monotonic()
        if now - self._last < REPORT_SECONDS:
            return
        events = sum(sync.written + sync.dropped for sync in syncs)
        totals = (events, self.writing, self._limiter.waited, time.process_time())
        new, writing, waited, busy = (
            (total - before) / (now - self._last)
            for total, before in zip(totals, self._totals, strict=True)
        )
        self._last, self._totals = now, totals
        self._logger.info(
            "%s of the time range read: %s events (%s/s) in %s requests%s%s",
            _share(syncs),
            f"{events:,}",
            f"{new:,.0f}",
            f"{sum(sync.count.requests for sync in syncs):,}",
            _cause(writing, waited, busy),
            _time_left(syncs, events / (now - self._started)),
        )
        for sync in syncs:
            if not sync.done:
                self._logger.debug(
                    "%s: read up to %s, %d events, %d requests",
                    sync.name,
                    format_timestamp(sync.reached),
                    sync.written + sync.dropped,
                    sync.count.requests,
                )

    def report_records(self, stream: str, records: int, requests: int) -> None:
        """Log a line about a stream that is read record by record, if it is time."""
        now = time.monotonic()
        if now - self._last >= REPORT_SECONDS:
            self._last = now
            self._logger.info("%s: %s records in %s requests", stream, f"{records:,}", requests)


def _share(syncs: Sequence[StreamSync]) -> str:
    length = sum(sync.end - sync.start + 1 for sync in syncs)
    left = sum(sync.plan.length_left for sync in syncs)
    return f"{math.floor(100 * (1 - left / length)) if length > 0 else 100} %"


def _cause(writing: float, waited: float, busy: float) -> str:
    """What the run waits for, given shares of the time; threads' waits add up."""
    if writing > MOST_OF_THE_TIME:
        return "; waiting for the target to take them"
    if waited > MOST_OF_THE_TIME:
        return "; waiting for HubSpot's rate limit"
    return "" if busy > BUSY else "; waiting for HubSpot's answers"


def _time_left(syncs: Sequence[StreamSync], rate: float) -> str:
    left = sum(sync.plan.pages_left * sync.plan.page_size for sync in syncs)
    if not rate or not math.isfinite(left):
        return ""
    seconds = left / rate
    if seconds < 100:  # noqa: PLR2004 - from then on nobody counts in seconds
        return f"; about {seconds:.0f} s left"
    minutes = round(seconds / 60)
    return f"; about {minutes} min left" if minutes < 100 else f"; about {minutes / 60:.0f} h left"  # noqa: PLR2004
