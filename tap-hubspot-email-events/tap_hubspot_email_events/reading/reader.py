"""Reads the selected event streams: the range of each, where its pages come from and go to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tap_hubspot_email_events.hubspot.events import EVENTS_PATH
from tap_hubspot_email_events.reading.bookmarks import (
    Bookmark,
    first_instant,
    read_bookmark,
    write_bookmark,
)
from tap_hubspot_email_events.reading.engine import Engine
from tap_hubspot_email_events.reading.plan import Plan
from tap_hubspot_email_events.reading.records import complete
from tap_hubspot_email_events.reading.stream_sync import StreamSync
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
        for event_type, stream in streams.items():
            self._writers[stream.name] = StreamWriter(stream, self._writer)
            self.syncs[stream.name] = self._new_sync(event_type, stream)
        self._engine = engine = Engine(
            list(self.syncs.values()),
            self,
            self._account.stop,
            concurrency=self._settings.max_concurrent_requests,
        )
        self.running = True
        try:
            engine.run(self)
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

    def newest_records(self, event_type: str, stream: SelfReadingStream) -> Iterable[Record]:
        """Yield a stream's records one by one, newest first, to test the connection."""
        sync = self._new_sync(event_type, stream)
        offset: str | None = None
        while True:
            page = self._account.events.page(event_type, sync.start, sync.end, offset, sync.count)
            self._make_records(sync, page.events)
            yield from page.events
            if not page.has_more or page.offset in (None, "", offset):
                return
            offset = str(page.offset)

    def _new_sync(self, event_type: str, stream: SelfReadingStream) -> StreamSync:
        settings = self._settings
        bookmark = read_bookmark(stream.name, stream.stream_state)
        start = first_instant(settings, bookmark, self._started_at)
        end = self._started_at if settings.end is None else min(self._started_at, settings.end)
        plan = Plan(start, end, page_size=settings.page_size)
        sync = StreamSync(stream.name, event_type, plan, start, end, start, bookmark)
        sync.complete = sync.done
        sync.resumed = bookmark is not None
        sync.read_from = start if bookmark is None else bookmark.read_from
        return sync

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
        return self._account.events.page(
            sync.event_type, part.requested_start, part.end, part.offset, sync.count
        )

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
        if sync.bookmark is not None and end < sync.bookmark.end:
            return
        # An older state is warned of once; from then on it has what it lacked.
        read_from = self._settings.start if sync.read_from is None else sync.read_from
        sync.bookmark = Bookmark(end, self._started_at, read_from)
        write_bookmark(self._writers[sync.name].state, sync.bookmark, "created")
        self._state_changed = True
        self._save_state_when_due()

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
