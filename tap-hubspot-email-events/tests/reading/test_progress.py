"""One line about every ten seconds says how far a run is, what it waits for and for how long."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest

from tap_hubspot_email_events.hubspot.limiter import Limiter
from tap_hubspot_email_events.reading.digests import SentEvents
from tap_hubspot_email_events.reading.plan import Plan
from tap_hubspot_email_events.reading.progress import ProgressLog
from tap_hubspot_email_events.reading.stream_sync import StreamSync

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("progress")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Advance the time, of which none is spent by the processor."""
    times = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: times[0])
    monkeypatch.setattr(time, "process_time", lambda: 0.0)

    def advance(seconds: float) -> None:
        times[0] += seconds

    return advance


def sync_of(name: str, end: int, *, read_back_to: int | None = None) -> StreamSync:
    """A stream from 1 to `end`, one event a millisecond, the newest ones read."""
    plan = Plan(1, end, page_size=1000)
    created = list(range(end, read_back_to, -1)) if read_back_to is not None else []
    if read_back_to is not None and (part := plan.take()) is not None:
        # Without an offset the part is cut at its oldest event, which does not count.
        plan.receive(part, [*created, read_back_to], has_more=read_back_to > 1, offset=None)
    return StreamSync(
        name,
        event_type="OPEN",
        plan=plan,
        now=end,
        start=1,
        end=end,
        reached=1,
        sent=SentEvents([], since=0, bucket=1),
        written=len(created),
    )


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records]


@pytest.fixture
def progress(clock: Callable[[float], None], caplog: pytest.LogCaptureFixture) -> ProgressLog:
    clock(100.0)
    caplog.set_level(logging.INFO)
    return ProgressLog(logger, Limiter(100, time.monotonic))


def test_a_run_of_less_than_ten_seconds_has_no_line(
    progress: ProgressLog, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    clock(9.9)
    progress.report([sync_of("email_open", 1000)])
    assert lines(caplog) == []


def test_all_streams_share_one_line_and_each_has_its_own_for_debugging(
    progress: ProgressLog, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    syncs = [
        sync_of("email_open", 100_000, read_back_to=50_000),
        sync_of("email_click", 100_000, read_back_to=1),
    ]
    clock(10.0)
    progress.report(syncs)
    clock(5.0)
    progress.report(syncs)
    (line,) = lines(caplog)
    assert line == (
        "75 % of the time range read: 149,999 events (15,000/s) in 0 requests; "
        "waiting for HubSpot's answers; about 3 s left"
    )
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    clock(5.0)
    progress.report(syncs)
    assert [entry.split(":")[0] for entry in lines(caplog)[1:]] == ["email_open", "email_click"]


@pytest.mark.parametrize(
    ("writing", "limited", "busy", "cause"),
    [
        (9.0, 30.0, 0.0, "; waiting for the target to take them"),
        (0.0, 6.0, 0.0, "; waiting for HubSpot's rate limit"),
        (4.0, 4.0, 0.0, "; waiting for HubSpot's answers"),
        (0.0, 0.0, 9.0, ""),
    ],
)
def test_a_line_names_what_the_run_waits_for(  # noqa: PLR0913, PLR0917 - what it spends time on
    clock: Callable[[float], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    writing: float,
    limited: float,
    busy: float,
    cause: str,
) -> None:
    caplog.set_level(logging.INFO)
    limiter = Limiter(100, time.monotonic)
    progress = ProgressLog(logger, limiter)
    clock(10.0)
    progress.writing, limiter.waited = writing, limited
    monkeypatch.setattr(time, "process_time", lambda: busy)
    progress.report([sync_of("email_open", 1000)])
    assert lines(caplog)[0].endswith(f"requests{cause}")


@pytest.mark.parametrize(
    ("read_back_to", "left"), [(990_000, "about 16 min left"), (999_900, "about 28 h left")]
)
def test_long_times_are_said_in_minutes_and_hours(
    progress: ProgressLog,
    clock: Callable[[float], None],
    caplog: pytest.LogCaptureFixture,
    read_back_to: int,
    left: str,
) -> None:
    clock(10.0)
    progress.report([sync_of("email_open", 1_000_000, read_back_to=read_back_to)])
    assert left in lines(caplog)[0]


def test_nothing_to_read_is_all_read(
    progress: ProgressLog, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    clock(10.0)
    progress.report([])
    assert lines(caplog)[0].startswith("100 % of the time range read: 0 events")


def test_a_stream_read_record_by_record_has_a_line_as_well(
    progress: ProgressLog, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    progress.report_records("email_campaigns", 1, 2)
    clock(10.0)
    progress.report_records("email_campaigns", 1200, 1210)
    assert lines(caplog) == ["email_campaigns: 1,200 records in 1210 requests"]
