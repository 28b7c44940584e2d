"""Runs the plans of all streams: worker threads fetch and encode pages, the caller writes them.

Pages are written as they come, whichever part they belong to, and bookmarks follow the parts,
oldest first. Every page is written oldest event first, and the newest part's pages of the last day
are written after all others. So a reader that keeps what came last keeps the newest, as Amplitude
does with user properties.
"""

from __future__ import annotations

import sys
import threading
import time
import zlib
from typing import TYPE_CHECKING, Protocol

from tap_hubspot_email_events.errors import (
    AccountError,
    DailyLimitError,
    StoppedError,
    StreamError,
)
from tap_hubspot_email_events.reading.plan import PagingError, PartKind, PartStatus
from tap_hubspot_email_events.reading.records import split_range, without_repeated
from tap_hubspot_email_events.reading.stream_sync import EncodedPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.hubspot.events import Event, Page
    from tap_hubspot_email_events.reading.plan import Part
    from tap_hubspot_email_events.reading.stream_sync import StreamSync

# Pages waiting to be written. The reader of the output sets the pace, so more would gain nothing.
QUEUE_BYTES = 4_000_000
# Newest pages held back, compressed.
NEWEST_BYTES = 12_000_000
# How old, in milliseconds, the newest events of a page may be for it to be held back.
RECENT = 86_400_000
POLL_SECONDS = 0.25
# A thread idle for so long splits another's part. That costs a request, and where answers come at
# once there is other work sooner.
SPLIT_SECONDS = 0.05
JOIN_SECONDS = 1.0
# Longer than a page takes to be decoded and encoded, so that threads that wait for the interpreter
# do not interrupt the one that is at it.
SWITCH_SECONDS = 0.02


class Source(Protocol):
    """Where pages come from and how they become lines; called from many threads."""

    def page(self, sync: StreamSync, part: Part) -> Page:
        """Fetch the next page of a part; its events all have an `id` and a `created`."""

    def note_misplaced(self, events: list[Event]) -> None:
        """Note events that lie outside the range they came for and are sent all the same."""

    def lines(self, sync: StreamSync, events: list[Event]) -> tuple[bytes, int]:
        """Encode events as lines of messages; returns also how many of them are in none."""


class Output(Protocol):
    """Where lines go; called from one thread."""

    def write(self, lines: bytes) -> None:
        """Write lines."""

    def finished(self, sync: StreamSync, end: int) -> None:
        """Note that everything up to `end` (milliseconds) is written."""

    def pause(self) -> None:
        """Use a quiet moment; called several times a second."""


class Engine:
    """Reads streams side by side until all are done, the account fails, or it is stopped."""

    def __init__(
        self,
        syncs: Sequence[StreamSync],
        source: Source,
        stop: threading.Event,
        *,
        concurrency: int,
    ) -> None:
        """Read `syncs` from `source`, requesting up to `concurrency` pages at once.

        Setting `stop` ends all waiting.
        """
        self.failure: AccountError | DailyLimitError | None = None
        self.signal: int | None = None
        self._syncs = list(syncs)
        self._source = source
        self._stop = stop
        self._threads = concurrency
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._writable = threading.Condition(self._lock)
        self._queue: list[tuple[StreamSync, EncodedPage]] = []
        # Bytes of pages in the queue or being written, and of newest pages held back.
        self._queue_bytes = 0
        self._newest_bytes = 0
        self._crash: BaseException | None = None

    def run(self, output: Output) -> None:
        """Read everything, and write pages as they come."""
        workers = [
            threading.Thread(target=self._work, name=f"hubspot-{number}", daemon=True)
            for number in range(self._threads)
        ]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            for worker in workers:
                worker.start()
            self._write_until_done(output)
        finally:
            sys.setswitchinterval(interval)
            self._stop.set()
            self._wake_all()
            deadline = time.monotonic() + JOIN_SECONDS
            for worker in workers:
                worker.join(max(0.0, deadline - time.monotonic()))

    def _wake_all(self) -> None:
        with self._lock:
            self._idle.notify_all()
            self._writable.notify_all()

    # The calling thread: writing

    def _write_until_done(self, output: Output) -> None:
        while True:
            with self._lock:
                work = self._take_output()
                ended = not any(work) and (self._stop.is_set() or all(x.done for x in self._syncs))
                if not any(work) and not ended and self.signal is None:
                    self._writable.wait(POLL_SECONDS)
                    work = self._take_output()
            self._put_out(output, *work)
            if self._crash is not None:
                raise self._crash
            if ended or self.signal is not None:
                break
        if isinstance(self.failure, DailyLimitError):
            # The next run reads the newest events again, but today's reader has them today.
            for sync in self._syncs:
                for page in self._take_newest(sync):
                    self._write(output, sync, page)

    def _put_out(
        self,
        output: Output,
        finished: list[tuple[StreamSync, int]],
        pages: list[tuple[StreamSync, EncodedPage]],
    ) -> None:
        for sync, end in finished:
            sync.reached = end
            sync.read_whole = end == sync.end
            output.finished(sync, end)
        for sync, page in pages:
            self._write(output, sync, page)
            if self.signal is not None:
                return
        output.pause()

    def _take_output(
        self,
    ) -> tuple[list[tuple[StreamSync, int]], list[tuple[StreamSync, EncodedPage]]]:
        """Take the ends of parts that are completely written, and the pages to write next."""
        finished: list[tuple[StreamSync, int]] = []
        for sync in self._syncs:
            parts = sync.plan.parts
            while parts:
                part = parts[0]
                done = part.status is PartStatus.DONE
                # None of its pages is still being encoded, or the others would overtake it.
                complete = done and sync.unwritten[part] == len(sync.newest)
                if part.kind is PartKind.HEAD and (complete or part.pages > part.cut_after):
                    self._release_newest(sync)
                if not done or sync.unwritten[part]:
                    break
                del parts[0], sync.unwritten[part]
                sync.previous_pages.pop(part, None)
                finished.append((sync, part.end))
        pages, self._queue = self._queue, []
        return finished, pages

    def _release_newest(self, sync: StreamSync) -> None:
        pages = self._take_newest(sync)
        pages.sort(key=lambda page: -page.number)
        self._queue += [(sync, page) for page in pages]
        self._queue_bytes += sum(len(page.content) for page in pages)

    def _take_newest(self, sync: StreamSync) -> list[EncodedPage]:
        pages, sync.newest = sync.newest, []
        self._newest_bytes -= sum(len(page.content) for page in pages)
        return pages

    def _write(self, output: Output, sync: StreamSync, page: EncodedPage) -> None:
        output.write(page.lines())
        sync.written += page.records - page.dropped
        sync.dropped += page.dropped
        with self._lock:
            self._queue_bytes -= len(page.content)
            sync.unwritten[page.part] -= 1
            if self._queue_bytes <= QUEUE_BYTES:
                self._idle.notify()

    # Worker threads: fetching and encoding

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            sync, part = job
            try:
                self._read_page(sync, part)
            except StoppedError:
                return
            except StreamError as error:
                self._fail_stream(sync, part, error)
            except (AccountError, DailyLimitError) as error:
                self._end(error)
            except BaseException as error:  # noqa: BLE001 - raised again by the calling thread
                self._crash = error
                self._end(None)

    def _next_job(self) -> tuple[StreamSync, Part] | None:
        idle_since = time.monotonic()
        with self._lock:
            while not self._stop.is_set():
                if all(sync.done for sync in self._syncs):
                    return None
                may_split = time.monotonic() - idle_since >= SPLIT_SECONDS
                if (job := self._choose(may_split=may_split)) is not None:
                    return job
                self._idle.wait(POLL_SECONDS if may_split else SPLIT_SECONDS)
        return None

    def _choose(self, *, may_split: bool) -> tuple[StreamSync, Part] | None:
        if self._queue_bytes > QUEUE_BYTES:
            return None
        syncs = sorted(self._syncs, key=lambda sync: -sync.plan.pages_left)
        for sync in syncs:
            if (part := sync.plan.take()) is not None:
                return sync, part
        for sync in syncs if may_split else ():
            if (part := sync.plan.split_longest()) is not None:
                return sync, part
        return None

    def _read_page(self, sync: StreamSync, part: Part) -> None:
        page = self._source.page(sync, part)
        # What lies elsewhere would mislead the plan, which takes the page's times for its progress.
        events, misplaced = split_range(page.events, part.requested_start, part.end)
        previous = sync.previous_pages.get(part, frozenset())
        events, sync.previous_pages[part] = without_repeated(events, previous)
        created = [event["created"] for event in events]
        offset = None if page.offset is None else str(page.offset)
        with self._lock:
            if sync.failure is not None:
                return
            try:
                cut = sync.plan.receive(
                    part,
                    created,
                    has_more=page.has_more,
                    offset=offset or None,
                    may_cut=self._newest_bytes <= NEWEST_BYTES,
                )
            except PagingError:
                raise StreamError(
                    "HubSpot says there are more events but gives no way to them (its paging "
                    "stands still); run again later"
                ) from None
            if cut is not None:
                events = [e for e, instant in zip(events, created, strict=True) if instant > cut]
            events = sync.sent.deduplicate(events, sync.plan.is_read)
            misplaced = sync.sent.deduplicate_misplaced(misplaced)
            sync.repeated = sync.sent.repeated
            number = part.pages
            sync.unwritten[part] += 1
            # One for the part's next page, one for a new part that this page has paid for.
            self._idle.notify(2)
        if misplaced:
            self._source.note_misplaced(misplaced)
            events = [*events, *misplaced]
        events.reverse()
        lines, dropped = self._source.lines(sync, events) if events else (b"", 0)
        hold_back = part.kind is PartKind.HEAD and max(created, default=0) > sync.end - RECENT
        if hold_back:
            # Level 1 shrinks it to a tenth at 100 MB/s, without holding the interpreter lock.
            lines = zlib.compress(lines, 1)
        encoded = EncodedPage(part, number, lines, len(events), dropped, compressed=hold_back)
        self._enqueue(sync, encoded)

    def _enqueue(self, sync: StreamSync, page: EncodedPage) -> None:
        with self._lock:
            if page.records == 0:
                sync.unwritten[page.part] -= 1
            elif not page.compressed:
                self._queue_bytes += len(page.content)
                self._queue.append((sync, page))
            elif sync.failure is None:
                self._newest_bytes += len(page.content)
                sync.newest.append(page)
            self._writable.notify()

    def _fail_stream(self, sync: StreamSync, part: Part, error: StreamError) -> None:
        with self._lock:
            sync.failure = sync.failure or error
            # Parts finished before the failure still count.
            sync.plan.abandon(part)
            self._take_newest(sync)
        self._wake_all()

    def _end(self, error: AccountError | DailyLimitError | None) -> None:
        self.failure = self.failure or error
        self._stop.set()
        self._wake_all()
