"""Job logs as the target writes them, made up, for the pictures and for tests of the page."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

NOW = datetime(2026, 11, 27, 12, 30, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
STATE_ID = "prod:tap-hubspot-email-events-to-target-amplitude"
SHARES = {
    "email_sent": 250,
    "email_processed": 250,
    "email_dropped": 8,
    "email_deferred": 28,
    "email_bounce": 24,
    "email_delivered": 226,
    "email_open": 150,
    "email_click": 52,
    "email_status_change": 5,
    "email_spam_report": 3,
}
REFUSED = "HubSpot refuses the token (401, EXPIRED_AUTHENTICATION); put a new one into access_token"


def job(
    order: random.Random,
    end: datetime,
    first: datetime,
    *,
    unit: str = "%Y-%m-%dT%H",
    **fields: Any,
) -> dict[str, Any]:
    """A run that read the hours from `first` to `end`, when it started, unless it failed."""
    by_stream: dict[str, Counter[str]] = {stream: Counter() for stream in SHARES}
    hour = first
    while hour < end - HOUR / 2:
        busy = 5 if 7 <= hour.hour <= 18 and hour.weekday() < 5 else 1
        # Mailings go out on Tuesday and Thursday.
        mailing = 12 if hour.weekday() in {1, 3} and hour.hour == 9 else 0
        for stream, share in SHARES.items():
            events = round(share * (busy + mailing) * order.uniform(0.06, 0.1))
            by_stream[stream][f"{hour:{unit}}"] += events
        hour += HOUR
    if fields.get("exit_code"):
        by_stream = {stream: Counter() for stream in SHARES}
    streams = [_stream(order, stream, times, end) for stream, times in by_stream.items()]
    read = sum(stream["read"] for stream in streams)
    return {
        "started": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "seconds": round(3 + read / 6000 + order.uniform(0, 2), 3),
        "outcome": "delivered",
        "exit_code": 0,
        "dry_run": False,
        "state_id": STATE_ID,
        "streams": streams,
    } | fields


def _stream(
    order: random.Random, stream: str, times: Counter[str], started: datetime
) -> dict[str, Any]:
    read = times.total()
    refused = order.randrange(3) if stream == "email_sent" and read > 3 else 0
    newest = started - timedelta(minutes=order.uniform(1, 9))
    delivered = times.copy()
    if refused:
        delivered[max(times)] -= refused
    return {
        "stream": stream,
        "read": read,
        "delivered": read - refused,
        "skipped": 0,
        "rejected": {"invalid id": refused} if refused else {},
        "not_covered": 0,
        "last_event": f"{newest:%Y-%m-%dT%H:%M:%SZ}" if read else None,
        "events_by_hour": times,
        "delivered_by_hour": delivered,
    }


def hourly(
    hours: int, failed: Collection[int] = (), order: random.Random | None = None
) -> list[dict[str, Any]]:
    """Runs at seven minutes past each hour; what a failed one left, the next good one brings."""
    order = order or random.Random(3)
    first = NOW.replace(minute=7) - hours * HOUR
    runs, read_to = [], first
    for number in range(1, hours + 1):
        started = first + number * HOUR
        if number in failed:
            runs.append(job(order, started, read_to, outcome=REFUSED, exit_code=1))
        else:
            runs.append(job(order, started, read_to))
            read_to = started
    return runs


def two_days() -> list[dict[str, Any]]:
    """Two days of hourly runs, one of which failed."""
    return hourly(48, {20})


def backfill_and_hourly() -> list[dict[str, Any]]:
    """A backfill of two years, three days of hourly runs, and a week read again on the side."""
    order = random.Random(3)
    started = NOW - 73 * HOUR
    backfill = job(order, started, started - timedelta(days=730), unit="%Y-%m-%d")
    side = NOW - 5 * HOUR
    again = job(
        order,
        side - timedelta(days=8),
        side - timedelta(days=15),
        state_id=f"{STATE_ID}:reread-2026-11",
    )
    again |= {"started": f"{side:%Y-%m-%dT%H:%M:%SZ}"}
    runs = [backfill, *hourly(72, (), order), again]
    return sorted(runs, key=lambda run: str(run["started"]))


def week_with_failures() -> list[dict[str, Any]]:
    """A week of hourly runs: an outage of a night, single failures, and a token that expired."""
    return hourly(168, {*range(40, 49), 90, 131, 166, 167, 168})


def single() -> list[dict[str, Any]]:
    """The first run."""
    return hourly(1)


def empty() -> list[dict[str, Any]]:
    """No run yet."""
    return []


def reconciled() -> list[dict[str, Any]]:
    """Two days of hourly runs, compared with Amplitude; what was missing was sent."""
    runs = hourly(48)
    read = sum(
        stream["read"]
        for run in runs
        for stream in run["streams"]
        if stream["stream"] == "email_open"
    )
    for number, missing in enumerate((12, 12, 0)):
        is_report = number != 1
        runs.append(
            {
                "started": f"{NOW - timedelta(minutes=15 - 4 * number):%Y-%m-%dT%H:%M:%SZ}",
                "seconds": 40.0,
                "outcome": f"Amplitude lacks 12 of {read:,} events"
                if is_report and missing
                else "reconciled"
                if is_report
                else "delivered",
                "exit_code": int(is_report and missing > 0),
                "dry_run": is_report,
                "state_id": f"{STATE_ID}:compare",
                "streams": [
                    {
                        "stream": "email_open",
                        "read": read,
                        "delivered": missing,
                        "skipped": read - missing,
                        "events_by_hour": {f"{NOW - 30 * HOUR:%Y-%m-%dT%H}": read},
                        "delivered_by_hour": {f"{NOW - 30 * HOUR:%Y-%m-%dT%H}": missing},
                    }
                ],
                "reconciliation": {"missing": missing, "doubled": 0},
            }
        )
    return runs


JOB_LOGS: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
    made.__name__: made
    for made in (two_days, backfill_and_hourly, week_with_failures, single, empty, reconciled)
}
