"""Runs the plans of all streams: threads fetch and encode, the calling thread writes.

Pages leave as they come, whichever part they are of, and the bookmark follows the parts, oldest
first. Only the last day's pages of the newest part wait for all others, and every page leaves
oldest event first: whoever keeps what came last, as Amplitude does with the user properties of the
last day's events, is to keep the newest.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from tap_hubspot_email_events.errors import (
    AccountError,
    DailyLimitError,
    StoppedError,
    StreamError,
)
from tap_hubspot_email_events.reading.concurrency import Concurrency
from tap_hubspot_email_events.reading.plan import Kind, Progress, StuckError
from tap_hubspot_email_events.reading.records import Identities, created_times, without_repeated
from tap_hubspot_email_events.reading.stream_sync import Chunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.reading.plan import Part
    from tap_hubspot_email_events.reading.records import Page, Record
    from tap_hubspot_email_events.reading.stream_sync import Lane

# Whoever reads the output sets the pace: more in memory would only move work to the end.
WAITING_BYTES = 8_000_000
# What newest parts may hold, and from when on they are packed.
NEWEST_BYTES = 24_000_000
PACK_BYTES = NEWEST_BYTES // 3
RECENT = 86_400_000
# While some threads encode, the others keep the allowed number of requests under way.
ENCODERS = 2
POLL_SECONDS = 0.25
# A thread idle for so long shares another's part, which costs a request; where answers come at
# once there is other work sooner.
SHARE_SECONDS = 0.05
JOIN_SECONDS = 1.0


class Source(Protocol):
    """Where pages come from and how they become lines; called from many threads."""

    def page(self, lane: Lane, part: Part) -> Page:
        """Fetch the next page of a part."""

    def lines(self, lane: Lane, events: list[Record]) -> bytes:
        """Make lines of events."""


class Output(Protocol):
    """Where lines go; called from one thread."""

    def write(self, lane: Lane, lines: bytes, records: int) -> None:
        """Write lines that hold that many records."""

    def finished(self, lane: Lane, end: int) -> None:
        """Note that everything up to `end` (milliseconds) is written."""

    def pause(self) -> None:
        """Use a quiet moment; called several times a second."""


class Engine:
    """Reads lanes side by side until all are done, one failure concerns all, or it is stopped."""

    def __init__(
        self, lanes: Sequence[Lane], source: Source, stop: threading.Event, *, concurrency: int
    ) -> None:
        """Read `lanes` from `source`, asking for up to `concurrency` pages at once.

        Setting `stop` ends every thread's waiting.
        """
        self.failure: AccountError | DailyLimitError | None = None
        self.signal: int | None = None
        self._lanes = list(lanes)
        self._source = source
        self._stop = stop
        self._threads = concurrency + ENCODERS
        self._concurrency = Concurrency(self._threads)
        self._lock = threading.Lock()
        # One for each idle thread and one for the writer, so that a page wakes nobody in vain.
        self._idle: list[threading.Condition] = []
        self._writable = threading.Condition(self._lock)
        self._outbox: list[tuple[Lane, Chunk]] = []
        self._waiting_bytes = 0
        self._newest_bytes = 0
        self._crash: BaseException | None = None

    def run(self, output: Output) -> None:
        """Read everything, writing as parts finish."""
        workers = [
            threading.Thread(target=self._work, name=f"hubspot-{number}", daemon=True)
            for number in range(self._threads)
        ]
        for worker in workers:
            worker.start()
        try:
            self._write_until_done(output)
        finally:
            self._stop.set()
            self._wake_all()
            deadline = time.monotonic() + JOIN_SECONDS
            for worker in workers:
                worker.join(max(0.0, deadline - time.monotonic()))

    def _wake_all(self) -> None:
        with self._lock:
            self._wake(self._threads)
            self._writable.notify_all()

    # The writing side

    def _write_until_done(self, output: Output) -> None:
        while True:
            with self._lock:
                work = self._take_output()
                ended = not any(work) and (self._stop.is_set() or all(x.done for x in self._lanes))
                if not any(work) and not ended and self.signal is None:
                    self._writable.wait(POLL_SECONDS)
                    work = self._take_output()
            self._pass_on(output, *work)
            if self._crash is not None:
                raise self._crash
            if ended or self.signal is not None:
                break
        if isinstance(self.failure, DailyLimitError):
            # Tomorrow's run repeats what is newest, but has it today.
            for lane in self._lanes:
                for chunk in self._take_newest(lane):
                    self._write(output, lane, chunk)

    def _pass_on(
        self, output: Output, finished: list[tuple[Lane, int]], pages: list[tuple[Lane, Chunk]]
    ) -> None:
        for lane, end in finished:
            lane.reached = end
            lane.complete = end == lane.end
            lane.seconds = time.monotonic() - lane.started
            output.finished(lane, end)
        for lane, chunk in pages:
            self._write(output, lane, chunk)
            if self.signal is not None:
                return
        output.pause()

    def _take_output(self) -> tuple[list[tuple[Lane, int]], list[tuple[Lane, Chunk]]]:
        """Take the ends of parts that are written to their end, and the pages to be written."""
        finished: list[tuple[Lane, int]] = []
        for lane in self._lanes:
            parts = lane.plan.parts
            while parts:
                part = parts[0]
                done = part.progress is Progress.DONE
                if part.kind is Kind.HEAD and (done or part.pages > part.cut_after):
                    self._release_newest(lane)
                if not done or lane.unwritten[part]:
                    break
                del parts[0], lane.unwritten[part]
                lane.last.pop(part, None)
                finished.append((lane, part.end))
        pages, self._outbox = self._outbox, []
        return finished, pages

    def _release_newest(self, lane: Lane) -> None:
        chunks = self._take_newest(lane)
        chunks.sort(key=lambda chunk: -chunk.page)
        self._outbox += [(lane, chunk) for chunk in chunks]
        self._waiting_bytes += sum(len(chunk.content) for chunk in chunks)

    def _take_newest(self, lane: Lane) -> list[Chunk]:
        chunks, lane.newest = lane.newest, []
        self._newest_bytes -= sum(len(chunk.content) for chunk in chunks)
        return chunks

    def _write(self, output: Output, lane: Lane, chunk: Chunk) -> None:
        output.write(lane, chunk.lines(), chunk.records)
        lane.written += chunk.records
        with self._lock:
            self._waiting_bytes -= len(chunk.content)
            lane.unwritten[chunk.part] -= 1
            if self._waiting_bytes <= WAITING_BYTES:
                self._wake(1)

    # The reading side

    def _work(self) -> None:
        turn = threading.Condition(self._lock)
        while (job := self._next_job(turn)) is not None:
            lane, part, begun = job
            cpu_started = time.thread_time()
            try:
                self._read_page(lane, part)
            except StoppedError:
                return
            except StreamError as error:
                self._fail_lane(lane, part, error)
            except (AccountError, DailyLimitError) as error:
                self._end(error)
            except BaseException as error:  # noqa: BLE001 - raised again by the writing side
                self._crash = error
                self._end(None)
            with self._lock:
                now, cpu_seconds = time.monotonic(), time.thread_time() - cpu_started
                self._concurrency.end(begun, now, cpu_seconds)

    def _next_job(self, turn: threading.Condition) -> tuple[Lane, Part, float] | None:
        idle_since, looked = time.monotonic(), False
        with self._lock:
            while not self._stop.is_set():
                if all(lane.done for lane in self._lanes):
                    return None
                now = time.monotonic()
                idle = now - idle_since
                if (job := self._choose(now, may_share=idle >= SHARE_SECONDS)) is not None:
                    self._concurrency.begin(now)
                    return *job, now
                self._stand_by(
                    turn, SHARE_SECONDS if idle < SHARE_SECONDS else POLL_SECONDS, looked=looked
                )
                looked = True
        return None

    def _stand_by(self, turn: threading.Condition, seconds: float, *, looked: bool) -> None:
        # Last come, first woken, for its memory is at hand; but who only looked around from time
        # to time comes after all others.
        self._idle.insert(0 if looked else len(self._idle), turn)
        turn.wait(seconds)
        if turn in self._idle:
            self._idle.remove(turn)

    def _wake(self, count: int) -> None:
        for _ in range(min(count, len(self._idle))):
            self._idle.pop().notify()

    def _choose(self, now: float, *, may_share: bool) -> tuple[Lane, Part] | None:
        if self._waiting_bytes > WAITING_BYTES or not self._concurrency.has_room(now):
            return None
        lanes = sorted(self._lanes, key=lambda lane: -lane.plan.pages_left)
        for lane in lanes:
            if (part := lane.plan.take()) is not None:
                return lane, part
        for lane in lanes if may_share else ():
            if (part := lane.plan.share()) is not None:
                return lane, part
        return None

    def _read_page(self, lane: Lane, part: Part) -> None:
        page = self._source.page(lane, part)
        try:
            created = created_times(page.events)
        except msgspec.ValidationError as error:
            raise StreamError(f"HubSpot sent {error}, which cannot be placed in time") from None
        events = without_repeated(page.events, created, lane.last.setdefault(part, Identities()))
        if len(events) < len(created):
            created = created_times(events)
        offset = None if page.offset is None else str(page.offset)
        with self._lock:
            if lane.failure is not None:
                return
            try:
                cut = lane.plan.receive(
                    part,
                    created,
                    has_more=page.has_more,
                    offset=offset or None,
                    may_cut=self._newest_bytes <= NEWEST_BYTES,
                )
            except StuckError:
                raise StreamError(
                    "HubSpot says there are more events but gives no way to them (its paging "
                    "stands still); run again later"
                ) from None
            if cut is not None:
                events = [e for e, instant in zip(events, created, strict=True) if instant > cut]
            number = part.pages
            lane.unwritten[part] += 1
            if self._concurrency.has_room(time.monotonic()):
                # For the part's next page, and for a new part that this page's events allow.
                self._wake(2)
        events.reverse()
        lines = self._source.lines(lane, events) if events else b""
        waits = part.kind is Kind.HEAD and max(created, default=0) > lane.end - RECENT
        self._hand_over(lane, Chunk(part, number, lines, len(events)), waits=waits)

    def _hand_over(self, lane: Lane, chunk: Chunk, *, waits: bool) -> None:
        if waits and self._newest_bytes > PACK_BYTES:
            chunk = chunk.packing()
        with self._lock:
            if chunk.records == 0:
                lane.unwritten[chunk.part] -= 1
            elif not waits:
                self._waiting_bytes += len(chunk.content)
                self._outbox.append((lane, chunk))
            elif lane.failure is None:
                self._newest_bytes += len(chunk.content)
                lane.newest.append(chunk)
            self._writable.notify()

    def _fail_lane(self, lane: Lane, part: Part, error: StreamError) -> None:
        with self._lock:
            lane.failure = lane.failure or error
            # Finished parts before the failure still count.
            lane.plan.abandon(part)
            self._take_newest(lane)
        self._wake_all()

    def _end(self, error: AccountError | DailyLimitError | None) -> None:
        self.failure = self.failure or error
        self._stop.set()
        self._wake_all()
