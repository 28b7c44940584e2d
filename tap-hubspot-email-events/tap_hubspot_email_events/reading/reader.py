"""Reads the selected event streams: the range of each, where its pages come from and go to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.reading.bookmarks import (
    Bookmark,
    aligned,
    first_instant,
    read_bookmark,
    read_digests,
    read_misplaced,
    write_bookmark,
    write_digests,
)
from tap_hubspot_email_events.reading.digests import Range, SentEvents, cut_together
from tap_hubspot_email_events.reading.engine import Engine
from tap_hubspot_email_events.reading.plan import Plan
from tap_hubspot_email_events.reading.records import describe, make_records, split_valid
from tap_hubspot_email_events.reading.stream_sync import StreamSync
from tap_hubspot_email_events.singer.writer import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_hubspot_email_events.hubspot.api import HubSpotApi
    from tap_hubspot_email_events.hubspot.events import Event, Page
    from tap_hubspot_email_events.reading.plan import Part
    from tap_hubspot_email_events.reading.progress import ProgressLog
    from tap_hubspot_email_events.settings import Settings
    from tap_hubspot_email_events.singer.sdk import SelfReadingStream
    from tap_hubspot_email_events.singer.writer import BytesWriter, Record

STATE_SECONDS = 0.2
# In all streams together; with 22 characters each, they keep the state below 64 KB.
MOST_DIGESTS = 2400
# What a stream shows within the lookback is remembered in so many buckets at most.
MOST_BUCKETS = 20_000
# As many misplaced events are remembered, 11 characters each.
MOST_MISPLACED = 200
# How far beyond the start of the run the time of an event may lie, in milliseconds.
MOST_AHEAD = 86_400_000
LEFT_OUT = "Events without an id or a time to be placed by: {count} ({names}); they were left out."
MISPLACED = (
    "Events whose time lies outside the range that HubSpot was asked for: {count} ({names}); they "
    "were sent, each once."
)


class EventReader:
    """Reads event streams side by side and writes their messages; used for one run."""

    def __init__(  # noqa: PLR0913 - each is another collaborator
        self,
        settings: Settings,
        api: HubSpotApi,
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
        self._settings = settings
        self._api = api
        self._writer = writer
        self._started_at = started_at
        self._write_state = write_state
        self._writers: dict[str, StreamWriter] = {}
        self._progress = progress
        self._state_due = float("-inf")
        self._state_changed = False
        self._engine: Engine | None = None

    def plan(self, streams: Mapping[str, SelfReadingStream]) -> None:
        """Plan the ranges of streams, given by event type, and write their schemas."""
        bookmarks = {
            stream.name: read_bookmark(stream.name, stream.stream_state)
            for stream in streams.values()
        }
        now = self._now(bookmarks.values())
        for event_type, stream in streams.items():
            self.syncs[stream.name] = self._new_sync(event_type, stream, now)
            self._writers[stream.name] = StreamWriter(stream, self._writer)

    def run(self) -> None:
        """Read what was planned; failures are left in `syncs` and `failure`.

        Raises:
            SystemExit: A signal ended the run.
        """
        self._engine = engine = Engine(
            list(self.syncs.values()),
            self,
            self._api.stop,
            concurrency=self._settings.max_concurrent_requests,
        )
        self.running = True
        try:
            engine.run(self)
        finally:
            self.running = False
            self._save_state()
        if engine.signal is not None:
            raise SystemExit(128 + engine.signal)
        if engine.failure is None:
            # Only the engine's threads had to stop; other streams may still send requests.
            self._api.stop.clear()

    def newest_records(self, event_type: str, stream: SelfReadingStream) -> list[Record]:
        """Return the records of a stream's newest page, to test the connection."""
        bookmark = read_bookmark(stream.name, stream.stream_state)
        sync = self._new_sync(event_type, stream, self._now([bookmark]))
        page = self._api.page(event_type, sync.start, sync.end, None, sync.count)
        events = self._valid(sync, page.events)
        self._to_records(sync, events)
        return events

    def _now(self, bookmarks: Iterable[Bookmark | None]) -> int:
        """The run's start: none that HubSpot's clock has not reached.

        A bookmark may lie in the future only by this machine's clock, being behind; then HubSpot's
        counts, since a bookmark never moves back for that.
        """
        clock = self._api.clock
        now = clock.bound(self._started_at)
        if any(each is not None and each.is_after(now) for each in bookmarks):
            return clock.corrected(self._started_at)
        return now

    def _new_sync(self, event_type: str, stream: SelfReadingStream, now: int) -> StreamSync:
        settings = self._settings
        bookmark = read_bookmark(stream.name, stream.stream_state)
        in_state = read_digests(stream.stream_state, bookmark)
        misplaced = read_misplaced(stream.stream_state) if in_state else []
        is_in_future = bookmark is not None and bookmark.is_after(now)
        if bookmark is not None:
            bookmark = bookmark.no_later_than(now)
        start = first_instant(settings, bookmark, now)
        end = now if settings.end is None else min(now, settings.end)
        known = [] if is_in_future else in_state
        start = aligned(start, known, settings.start)
        plan = Plan(start, end, page_size=settings.page_size)
        sent = SentEvents(
            [each for each in known if start <= each.start and each.end <= end],
            since=now - settings.lookback,
            bucket=max(1, settings.lookback // MOST_BUCKETS),
            misplaced=misplaced if known else (),
        )
        return StreamSync(
            stream.name,
            event_type=event_type,
            plan=plan,
            now=now,
            start=start,
            end=end,
            reached=start,
            read_whole=start > end,
            sent=sent,
            known=bookmark,
            known_in_future=is_in_future,
            digests=in_state,
            misplaced=misplaced,
        )

    def _valid(self, sync: StreamSync, events: list[Any]) -> list[Event]:
        placed, left_out = split_valid(events, latest=sync.now + MOST_AHEAD)
        if left_out:
            self._api.anomalies.note(LEFT_OUT, map(describe, left_out))
        return placed

    def _to_records(self, sync: StreamSync, events: list[Event]) -> None:
        self._api.enrich(events, sync.count)
        make_records(events, sync.event_type, self._api.account.required_id)

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
        page = self._api.page(
            sync.event_type, part.requested_start, part.end, part.offset, sync.count
        )
        page.events = self._valid(sync, page.events)
        latest = sync.bookmark or sync.known
        expected = None if latest is None else latest.portal_id
        self._api.account.compare(page.events, expected)
        return page

    def note_misplaced(self, events: list[Event]) -> None:
        """Note events that lie outside the range they came for and are sent all the same."""
        self._api.anomalies.note(MISPLACED, map(describe, events))

    def lines(self, sync: StreamSync, events: list[Event]) -> tuple[bytes, int]:
        """Make records of events and encode them, without those that stream maps drop."""
        self._to_records(sync, events)
        return self._writers[sync.name].encode(events)

    # The engine's output

    def write(self, lines: bytes) -> None:
        """Write lines."""
        begun = time.monotonic()
        self._writer.write_lines(lines)
        self._progress.writing += time.monotonic() - begun

    def finished(self, sync: StreamSync, end: int) -> None:
        """Advance a stream's bookmark; parts within the lookback never move it back."""
        if sync.known is not None and end < sync.known.end:
            return
        # Within the lookback the bookmark waits for the digests that are written with it. That
        # costs no reading, since the next run begins with the lookback anyway.
        if not sync.read_whole and end > sync.now - self._settings.lookback:
            return
        # An older state is warned of once; from then on it has what it lacked.
        read_from = self._settings.start if sync.read_from is None else sync.read_from
        # The state keeps its account, so that the next run says it again if events name another.
        portal = None if sync.known is None else sync.known.portal_id
        portal = self._api.account.id if portal is None else portal
        sync.bookmark = Bookmark(end, sync.now, read_from, portal)
        state = self._writers[sync.name].state
        write_bookmark(state, sync.bookmark, "created")
        write_digests(state, ())
        if sync.read_whole:
            self._write_all_digests()
        self._state_changed = True
        self._save_state_when_due()

    def _write_all_digests(self) -> None:
        """Write the digests of all streams that have ended, as fine as the state has room.

        Those of the others are still in it, so they get their share of the room as well.
        """
        ranges: dict[str, Range] = {}
        misplaced: dict[str, Sequence[int]] = {}
        for sync in self.syncs.values():
            if sync.bookmark is not None and sync.read_whole:
                start = sync.bookmark.next_start(self._settings.lookback)
                start = max(sync.start, sync.sent.bucket_start(start))
                ranges[sync.name] = sync.sent.seen(start, sync.bookmark.end)
                misplaced[sync.name] = [*sync.sent.misplaced]
            elif sync.digests and sync.bookmark is None:
                first, last = sync.digests[0].start, sync.digests[-1].end
                ranges[sync.name] = Range(first, last, sync.digests)
                misplaced[sync.name] = sync.misplaced
        for name, digests in cut_together(ranges, MOST_DIGESTS).items():
            most = MOST_MISPLACED // len(ranges)
            write_digests(self._writers[name].state, digests, misplaced[name][:most])

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
