"""A run over the event streams: which range each reads, where pages come from, where lines go."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from singer_sdk import metrics

from tap_hubspot_email_events.hubspot.account import EVENTS_PATH
from tap_hubspot_email_events.reading.bookmarks import Bookmark, read_bookmark, write_bookmark
from tap_hubspot_email_events.reading.engine import Engine
from tap_hubspot_email_events.reading.plan import Plan
from tap_hubspot_email_events.reading.progress import ProgressLog
from tap_hubspot_email_events.reading.records import record_lines
from tap_hubspot_email_events.reading.stream_sync import Lane
from tap_hubspot_email_events.settings import DEFAULT_HISTORY
from tap_hubspot_email_events.singer.sdk_private import passes_unchanged, record_messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_hubspot_email_events.reading.plan import Part
    from tap_hubspot_email_events.reading.records import Page, Record
    from tap_hubspot_email_events.settings import Settings
    from tap_hubspot_email_events.streams.event_stream import EventStream
    from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

STATE_SECONDS = 0.2


def first_instant(settings: Settings, bookmark: Bookmark | None, now: int) -> int:
    """Where a stream's range begins, in milliseconds."""
    if bookmark is None:
        return max(1, now - DEFAULT_HISTORY if settings.start is None else settings.start)
    start = bookmark.next_start(settings.lookback)
    if settings.start is not None:
        # Looking back stops at the start date, but a gap after the bookmark is never skipped.
        start = max(start, min(settings.start, bookmark.end + 1))
    return max(1, start)


class Reading:
    """Reads the selected event streams of a tap side by side and writes their messages."""

    def __init__(self, tap: TapHubSpotEmailEvents) -> None:
        """Set the moment up to which this run reads, whatever happens after it."""
        self.lanes: dict[str, Lane] = {}
        self.running = False
        self.ended = False
        self._started_at = tap.initialized_at
        self._tap = tap
        self._account = tap.account
        self._streams: dict[str, EventStream] = {}
        self._exact: dict[str, threading.Lock] = {}
        self._counters: dict[str, metrics.Counter] = {}
        self._meters: dict[str, ExitStack] = {}
        self._progress = ProgressLog(tap.logger, tap.account.limiter)
        self._state_due = float("-inf")
        self._state_changed = False
        self._bookmarks: dict[str, Bookmark | None] = {}
        self._engine: Engine | None = None

    def lane(self, stream: EventStream) -> Lane:
        """The range of a stream, as far as it is known before anything is read."""
        settings = self._tap.settings
        bookmark = read_bookmark(stream.name, stream.stream_state)
        start = first_instant(settings, bookmark, self._started_at)
        end = self._started_at if settings.end is None else min(self._started_at, settings.end)
        plan = Plan(start, end, page_size=settings.page_size)
        lane = Lane(stream.name, stream.event_type, plan, start, end, start)
        lane.complete = lane.done
        return lane

    def _add(self, stream: EventStream) -> None:
        self._streams[stream.name] = stream
        self.lanes[stream.name] = self.lane(stream)
        self._bookmarks[stream.name] = read_bookmark(stream.name, stream.stream_state)
        self._meters[stream.name] = meters = ExitStack()
        self._counters[stream.name] = meters.enter_context(stream.get_record_counter())
        meters.enter_context(stream.get_sync_timer())
        if not passes_unchanged(stream):
            self._exact[stream.name] = threading.Lock()

    def run(self, streams: Iterable[EventStream]) -> None:
        """Read streams; failures are left in the lanes and in `failure`.

        Raises:
            SystemExit: A signal ended the run.
        """
        for stream in streams:
            stream.write_schema()
            self._add(stream)
        self._engine = engine = Engine(
            list(self.lanes.values()),
            self,
            self._account.stop,
            concurrency=self._tap.settings.max_concurrent_requests,
        )
        self.running = True
        try:
            engine.run(self)
        finally:
            self.running, self.ended = False, True
            self.write_state()
            for name in list(self._meters):
                self._stop_metering(name)
        if engine.signal is not None:
            raise SystemExit(128 + engine.signal)
        if engine.failure is None:
            # Only the engine's own threads were to stop; other streams may still ask.
            self._account.stop.clear()

    def _stop_metering(self, name: str) -> None:
        if (meters := self._meters.pop(name, None)) is not None:
            counter = metrics.http_request_counter(name, EVENTS_PATH)
            with counter:
                counter.increment(self.lanes[name].tally.requests)
            meters.close()

    @property
    def failure(self) -> Exception | None:
        """What ended the reading of all streams."""
        return None if self._engine is None else self._engine.failure

    def terminate(self, signal: int) -> None:
        """End the run after the page being written, with the state that is true by then.

        Raises:
            SystemExit: It was asked for before, so somebody is in a hurry.
        """
        if self._engine is None or self._engine.signal is not None:
            raise SystemExit(128 + signal)
        self._engine.signal = signal

    # The engine's source

    def page(self, lane: Lane, part: Part) -> Page:
        """Fetch the next page of a part."""
        return self._account.events(
            lane.event_type, part.asked_start, part.end, part.offset, lane.tally
        )

    def lines(self, lane: Lane, events: list[Record]) -> bytes:
        """Make lines of events, just as the SDK would where the catalog or a map changes them."""
        self._account.make_records(events, lane.event_type, lane.tally)
        extracted = datetime.now(timezone.utc).isoformat()
        if (lock := self._exact.get(lane.name)) is None:
            return record_lines(lane.name, events, extracted)
        stream, writer = self._streams[lane.name], self._tap.writer
        # Stream maps keep the record they work on in themselves.
        with lock:
            return b"".join(
                writer.serialize_message(message)
                for event in events
                for message in record_messages(stream, event)
            )

    # The engine's output

    def write(self, lane: Lane, lines: bytes, records: int) -> None:
        """Write lines that hold that many records."""
        self._tap.writer.write_lines(lines)
        self._counters[lane.name].increment(records)

    def finished(self, lane: Lane, end: int) -> None:
        """Move a stream's bookmark, never back: looking back re-reads what is before it."""
        if lane.complete:
            self._stop_metering(lane.name)
        before = self._bookmarks[lane.name]
        if before is not None and end < before.end:
            return
        bookmark = Bookmark(end, self._started_at)
        self._bookmarks[lane.name] = bookmark
        stream = self._streams[lane.name]
        write_bookmark(stream.stream_state, bookmark, "created")
        self._state_changed = True
        if time.monotonic() >= self._state_due:
            self.write_state()

    def pause(self) -> None:
        """Write the state and the progress when it is time."""
        if self._state_changed and time.monotonic() >= self._state_due:
            self.write_state()
        self._progress.report(list(self.lanes.values()))

    def write_state(self) -> None:
        """Write the state as it is now, where it has changed."""
        self._state_due = time.monotonic() + STATE_SECONDS
        self._state_changed = False
        self._tap.state_writer.write_state(self._tap.state)
