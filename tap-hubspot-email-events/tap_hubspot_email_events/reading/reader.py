"""Reads the selected event streams: the range of each, where its pages come from and go to."""

from __future__ import annotations

import copy
import threading
import time
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.errors import OtherAccountError
from tap_hubspot_email_events.hubspot.events import EVENTS_PATH
from tap_hubspot_email_events.reading.bookmarks import (
    Bookmark,
    aligned,
    first_instant,
    read_bookmark,
    read_stretches,
    write_bookmark,
    write_stretches,
)
from tap_hubspot_email_events.reading.engine import Engine
from tap_hubspot_email_events.reading.plan import Plan
from tap_hubspot_email_events.reading.portal import Portal
from tap_hubspot_email_events.reading.records import complete, describe, placeable
from tap_hubspot_email_events.reading.stream_sync import StreamSync
from tap_hubspot_email_events.reading.stretches import Range, SentEvents, cut_together
from tap_hubspot_email_events.singer.stream_writer import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_hubspot_email_events.hubspot.account import Account
    from tap_hubspot_email_events.hubspot.events import Event, Page
    from tap_hubspot_email_events.reading.part import Part
    from tap_hubspot_email_events.reading.progress import ProgressLog
    from tap_hubspot_email_events.settings import Settings
    from tap_hubspot_email_events.singer.messages import Record
    from tap_hubspot_email_events.singer.sdk import SelfReadingStream
    from tap_hubspot_email_events.singer.writer import BytesWriter

STATE_SECONDS = 0.2
# In all streams together; with 22 characters each, they keep the state below 64 KB.
MOST_STRETCHES = 2500
# What a stream shows within the lookback is remembered in so many slots at most.
MOST_SLOTS = 20_000
# From a difference of so many milliseconds on, a clock is wrong rather than inexact.
CLOCK_MINUTES = 2 * 60_000
LEFT_OUT = "Events without an id or a time to be placed by: {count} ({names}); they were left out."


class WrongClockError(Exception):
    """This machine's clock is wrong, so the range was planned too late or too early."""


class EventReader:
    """Reads event streams side by side and writes their messages; used for one run."""

    def __init__(  # noqa: PLR0913 - each is another collaborator
        self,
        settings: Settings,
        account: Account,
        writer: BytesWriter,
        *,
        started_at: int,
        write_state: Callable[[], None],
        progress: ProgressLog,
    ) -> None:
        """Read events up to `started_at`, in milliseconds, and none that come later.

        `write_state` writes a STATE message with all streams' bookmarks.
        """
        self.syncs: dict[str, StreamSync] = {}
        self.running = False
        self.ended = False
        self._settings = settings
        self._account = account
        self._writer = writer
        self._started_at = started_at
        # The run's start by this machine's clock or, where that is wrong, by HubSpot's.
        self._now = started_at
        self._planned_wrongly: bool | None = None
        self._clock_lock = threading.Lock()
        self._portal = Portal(account.portal_id, account.anomalies)
        self._write_state = write_state
        self._writers: dict[str, StreamWriter] = {}
        self._progress = progress
        self._state_due = float("-inf")
        self._state_changed = False
        self._engine: Engine | None = None

    def run(self, streams: Mapping[str, SelfReadingStream]) -> None:
        """Read streams, given by event type; failures are left in `syncs` and `failure`.

        Raises:
            SystemExit: A signal ended the run.
        """
        for stream in streams.values():
            self._writers[stream.name] = StreamWriter(stream, self._writer)
        self.running = True
        try:
            try:
                engine = self._run_engine(streams)
            except WrongClockError:
                # Nothing is written yet, so all of it can be planned by HubSpot's clock.
                self._now = self._account.clock.corrected(self._started_at)
                self._planned_wrongly = False
                self._account.stop.clear()
                engine = self._run_engine(streams)
        finally:
            self.running, self.ended = False, True
            self._save_state()
            for name in self._writers:
                self._close_writer(name)
        if engine.signal is not None:
            raise SystemExit(128 + engine.signal)
        if engine.failure is None:
            # Only the engine's threads had to stop; other streams may still send requests.
            self._account.stop.clear()

    def _run_engine(self, streams: Mapping[str, SelfReadingStream]) -> Engine:
        self.syncs = {
            stream.name: self._new_sync(event_type, stream)
            for event_type, stream in streams.items()
        }
        self._engine = engine = Engine(
            list(self.syncs.values()),
            self,
            self._account.stop,
            concurrency=self._settings.max_concurrent_requests,
        )
        before = {name: copy.deepcopy(writer.state) for name, writer in self._writers.items()}
        engine.run(self)
        if isinstance(engine.failure, OtherAccountError):
            # Streams without events may have gone on until an event showed whose account it is.
            for name, state in before.items():
                self._writers[name].state.clear()
                self._writers[name].state.update(state)
        return engine

    def newest_records(self, event_type: str, stream: SelfReadingStream) -> Iterable[Record]:
        """Yield a stream's records one by one, newest first, to test the connection."""
        sync = self._new_sync(event_type, stream)
        offset: str | None = None
        while True:
            page = self._account.events.page(event_type, sync.start, sync.end, offset, sync.count)
            events = self._placeable(page.events)
            self._make_records(sync, events)
            yield from events
            if not page.has_more or page.offset in (None, "", offset):
                return
            offset = str(page.offset)

    def _new_sync(self, event_type: str, stream: SelfReadingStream) -> StreamSync:
        settings = self._settings
        bookmark = read_bookmark(stream.name, stream.stream_state)
        in_state = read_stretches(stream.stream_state, bookmark)
        is_in_future = bookmark is not None and bookmark.is_after(self._now)
        if bookmark is not None:
            bookmark = bookmark.no_later_than(self._now)
        start = first_instant(settings, bookmark, self._now)
        end = self._now if settings.end is None else min(self._now, settings.end)
        known = [] if is_in_future else in_state
        start = aligned(start, known, settings.start)
        plan = Plan(start, end, page_size=settings.page_size)
        sent = SentEvents(
            [each for each in known if start <= each.start and each.end <= end],
            # HubSpot's clock may turn out to be a little behind.
            since=self._now - settings.lookback - CLOCK_MINUTES,
            slot=max(1, settings.lookback // MOST_SLOTS),
        )
        sync = StreamSync(stream.name, event_type, plan, start, end, start, sent, bookmark)
        sync.complete = sync.done
        sync.resumed = bookmark is not None
        sync.bookmark_in_future = is_in_future
        sync.in_state = in_state
        sync.read_from = start if bookmark is None else bookmark.read_from
        return sync

    def _placeable(self, events: list[Any]) -> list[Event]:
        placed, left_out = placeable(events)
        if left_out:
            self._account.anomalies.note(LEFT_OUT, map(describe, left_out))
        return placed

    def _make_records(self, sync: StreamSync, events: list[Event]) -> None:
        self._account.enrich(events, sync.count)
        complete(events, sync.event_type, self._account.portal_id)

    @property
    def failure(self) -> Exception | None:
        """What ended the reading of all streams, if anything did."""
        return None if self._engine is None else self._engine.failure

    def terminate(self, signal: int) -> None:
        """End the run after the page being written, with the state that is true by then.

        Raises:
            SystemExit: This is the second signal, so the run ends at once.
        """
        if self._engine is None or self._engine.signal is not None:
            raise SystemExit(128 + signal)
        self._engine.signal = signal

    # The engine's source

    def page(self, sync: StreamSync, part: Part) -> Page:
        """Fetch the next page of a part."""
        page = self._account.events.page(
            sync.event_type, part.requested_start, part.end, part.offset, sync.count
        )
        with self._clock_lock:
            # The first answer decides for all streams, so nothing is written if it is wrong.
            if self._planned_wrongly is None:
                self._planned_wrongly = any(map(self._is_wrong, self.syncs.values()))
            if self._planned_wrongly:
                raise WrongClockError
        page.events = self._placeable(page.events)
        bookmark = sync.bookmark
        self._portal.compare(page.events, None if bookmark is None else bookmark.portal_id)
        return page

    def _is_wrong(self, sync: StreamSync) -> bool:
        """Whether by HubSpot's clock the stream should be planned anew."""
        if sync.bookmark_in_future and self._account.clock.corrected(self._now) > self._now:
            # It may lie in this machine's future alone, and a bookmark never moves back for that.
            return True
        now = self._account.clock.bound(self._now)
        if self._now - now >= CLOCK_MINUTES:
            return True
        if now == self._now or sync.bookmark is None:
            return False
        bookmark = sync.bookmark.no_later_than(now)
        return first_instant(self._settings, bookmark, now) < sync.start

    def lines(self, sync: StreamSync, events: list[Event]) -> bytes:
        """Make records of events and encode them as lines of messages."""
        self._make_records(sync, events)
        return self._writers[sync.name].encode(events)

    # The engine's output

    def write(self, sync: StreamSync, lines: bytes, records: int) -> None:
        """Write lines that hold that many records."""
        begun = time.monotonic()
        self._writers[sync.name].write(lines, records)
        self._progress.writing += time.monotonic() - begun

    def finished(self, sync: StreamSync, end: int) -> None:
        """Advance a stream's bookmark; parts within the lookback never move it back."""
        if sync.complete:
            self._close_writer(sync.name)
        # HubSpot may yet show events that are later than its own clock at the run's start.
        now = self._account.clock.bound(self._now)
        end = min(end, now)
        if sync.bookmark is not None and end < sync.bookmark.end:
            return
        # Within the lookback the bookmark waits for the stretches that are written with it. That
        # costs no reading, since the next run begins with the lookback anyway.
        if not sync.complete and end > now - self._settings.lookback:
            return
        # An older state is warned of once; from then on it has what it lacked.
        read_from = self._settings.start if sync.read_from is None else sync.read_from
        portal = self._portal.id
        if portal is None and sync.bookmark is not None:
            portal = sync.bookmark.portal_id
        sync.bookmark, sync.bookmark_moved = Bookmark(end, now, read_from, portal), True
        state = self._writers[sync.name].state
        write_bookmark(state, sync.bookmark, "created")
        write_stretches(state, ())
        if sync.complete:
            self._write_all_stretches()
        self._state_changed = True
        self._save_state_when_due()

    def _write_all_stretches(self) -> None:
        """Write the stretches of all streams that have ended, as fine as the state has room.

        Those of the others are still in it, so they get their share of the room as well.
        """
        ranges: dict[str, Range] = {}
        for sync in self.syncs.values():
            if sync.bookmark is not None and sync.bookmark_moved and sync.complete:
                start = sync.bookmark.next_start(self._settings.lookback)
                start = max(sync.start, sync.sent.slot_start(start))
                end = sync.bookmark.end
                ranges[sync.name] = Range(start, end, sync.sent.seen(start, end))
            elif sync.in_state and not sync.bookmark_moved:
                ranges[sync.name] = Range.of(sync.in_state)
        for name, stretches in cut_together(ranges, MOST_STRETCHES).items():
            write_stretches(self._writers[name].state, stretches)

    def pause(self) -> None:
        """Write the state and the progress if it is time."""
        if self._state_changed:
            self._save_state_when_due()
        self._progress.report(list(self.syncs.values()))

    def _save_state_when_due(self) -> None:
        if time.monotonic() >= self._state_due:
            self._save_state()

    def _save_state(self) -> None:
        self._state_due = time.monotonic() + STATE_SECONDS
        self._state_changed = False
        self._write_state()

    def _close_writer(self, name: str) -> None:
        self._writers[name].close(EVENTS_PATH, self.syncs[name].count.requests)
