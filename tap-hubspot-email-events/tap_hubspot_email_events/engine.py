"""Runs the plans of all streams: threads fetch and encode, the calling thread writes.

Records leave in order of their parts, oldest first, so that a bookmark can follow each part. What
was read of newer parts waits in memory, within a budget all streams share.
"""

from __future__ import annotations

import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from tap_hubspot_email_events.client import Tally
from tap_hubspot_email_events.errors import (
    AccountError,
    DailyLimitError,
    StoppedError,
    StreamError,
)
from tap_hubspot_email_events.records import Identities, created_times, without_repeated
from tap_hubspot_email_events.windows import Part, Plan, Progress, StuckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.records import Page, Record

BUDGET_BYTES = 32_000_000
# Beyond these, what waits is packed, and what is read of the oldest part goes out at once.
PACK_BYTES = BUDGET_BYTES // 4
FLUSH_BYTES = BUDGET_BYTES // 2
# While some threads encode, the others keep the allowed number of requests under way.
ENCODERS = 2
POLL_SECONDS = 0.25
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


@dataclass(slots=True)
class _Box:
    """Lines of a part that are not written yet, and how many pages are still being encoded."""

    encoding: int = 0
    chunks: list[_Chunk] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Lines of one page, packed where they must wait long."""

    content: bytes
    records: int
    packed: bool = False

    def packing(self) -> _Chunk:
        # Level 1 makes a tenth of it at a hundred megabytes a second, outside the interpreter lock.
        return (
            self
            if self.packed
            else _Chunk(zlib.compress(self.content, 1), self.records, packed=True)
        )

    def lines(self) -> bytes:
        return zlib.decompress(self.content) if self.packed else self.content


@dataclass(eq=False, slots=True)
class Lane:
    """One stream being read: its range in milliseconds, and how far it has come."""

    name: str
    event_type: str
    plan: Plan
    start: int
    end: int
    reached: int
    tally: Tally = field(default_factory=Tally)
    failure: StreamError | None = None
    written: int = 0
    complete: bool = False
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    boxes: dict[Part, _Box] = field(default_factory=dict)
    last: dict[Part, Identities] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether nothing is left to read or write."""
        return not self.plan.parts


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
        self._concurrency = concurrency
        self._asking = threading.Semaphore(concurrency)
        self._changed = threading.Condition()
        self._held = 0
        self._writing = False
        self._turn = 0
        self._crash: BaseException | None = None

    def run(self, output: Output) -> None:
        """Read everything, writing as parts finish."""
        workers = [
            threading.Thread(target=self._work, name=f"hubspot-{number}", daemon=True)
            for number in range(self._concurrency + ENCODERS)
        ]
        for worker in workers:
            worker.start()
        try:
            self._write_until_done(output)
        finally:
            with self._changed:
                self._stop.set()
                self._changed.notify_all()
            deadline = time.monotonic() + JOIN_SECONDS
            for worker in workers:
                worker.join(max(0.0, deadline - time.monotonic()))

    # The writing side

    def _write_until_done(self, output: Output) -> None:
        while True:
            with self._changed:
                jobs = self._writable()
                ended = not jobs and (self._stop.is_set() or all(x.done for x in self._lanes))
                if not jobs and not ended and self.signal is None:
                    self._changed.wait(POLL_SECONDS)
                    jobs = self._writable()
                self._writing = bool(jobs)
            for lane, chunks, ends in jobs:
                for chunk in chunks:
                    self._write(output, lane, chunk)
                    with self._changed:
                        self._held -= len(chunk.content)
                if ends is not None:
                    lane.reached = ends
                    lane.complete = ends == lane.end
                    lane.seconds = time.monotonic() - lane.started
                    output.finished(lane, ends)
                if self.signal is not None:
                    return
            output.pause()
            with self._changed:
                self._writing = False
                self._changed.notify_all()
            if self._crash is not None:
                raise self._crash
            if ended or self.signal is not None:
                break
        if isinstance(self.failure, DailyLimitError):
            self._write_rest(output)

    def _writable(self) -> list[tuple[Lane, list[_Chunk], int | None]]:
        """Take what may be written now: finished parts, and the front part when it is long."""
        jobs: list[tuple[Lane, list[_Chunk], int | None]] = []
        for lane in self._lanes:
            parts = lane.plan.parts
            while parts and parts[0].progress is Progress.DONE:
                box = lane.boxes.get(parts[0])
                if box is not None and box.encoding:
                    break
                part = parts.pop(0)
                lane.boxes.pop(part, None)
                lane.last.pop(part, None)
                jobs.append((lane, box.chunks if box else [], part.end))
            if parts and (box := lane.boxes.get(parts[0])) and box.chunks:
                part = parts[0]
                long = part.pages > part.cut_after
                if part.progress is Progress.READING and (long or self._held > FLUSH_BYTES):
                    jobs.append((lane, box.chunks, None))
                    box.chunks = []
        return jobs

    def _write_rest(self, output: Output) -> None:
        """Write what was read of unfinished parts: tomorrow's run repeats it, but has it today."""
        for lane in self._lanes:
            for part in lane.plan.parts:
                for chunk in lane.boxes.get(part, _Box()).chunks:
                    self._write(output, lane, chunk)

    def _write(self, output: Output, lane: Lane, chunk: _Chunk) -> None:
        output.write(lane, chunk.lines(), chunk.records)
        lane.written += chunk.records

    # The reading side

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            lane, part = job
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

    def _next_job(self) -> tuple[Lane, Part] | None:
        with self._changed:
            while not self._stop.is_set():
                if all(lane.done for lane in self._lanes):
                    return None
                if (job := self._choose()) is not None:
                    return job
                self._changed.wait(POLL_SECONDS)
        return None

    def _choose(self) -> tuple[Lane, Part] | None:
        room = self._held <= BUDGET_BYTES
        if not room and self._writing:
            return None
        self._turn += 1
        count = len(self._lanes)
        for number in range(count):
            lane = self._lanes[(self._turn + number) % count]
            if (part := lane.plan.take(ahead=False)) is not None:
                return lane, part
        if room:
            for lane in sorted(self._lanes, key=lambda lane: -lane.plan.pages_left):
                if (part := lane.plan.take(ahead=True)) is not None:
                    return lane, part
        return None

    def _read_page(self, lane: Lane, part: Part) -> None:
        with self._asking:
            page = self._source.page(lane, part)
        try:
            created = created_times(page.events)
        except msgspec.ValidationError as error:
            raise StreamError(f"HubSpot sent {error}, which cannot be placed in time") from None
        events = without_repeated(page.events, created, lane.last.setdefault(part, Identities()))
        if len(events) < len(created):
            created = created_times(events)
        offset = None if page.offset is None else str(page.offset)
        with self._changed:
            if lane.failure is not None:
                return
            try:
                cut = lane.plan.receive(
                    part,
                    created,
                    has_more=page.has_more,
                    offset=offset or None,
                    may_cut=self._held <= BUDGET_BYTES,
                )
            except StuckError:
                raise StreamError(
                    "HubSpot says there are more events but gives no way to them (its paging "
                    "stands still); run again later"
                ) from None
            if cut is not None:
                events = [e for e, instant in zip(events, created, strict=True) if instant > cut]
            box = lane.boxes.setdefault(part, _Box())
            box.encoding += 1
            self._changed.notify_all()
        chunks = [_Chunk(self._source.lines(lane, events), len(events))] if events else []
        with self._changed:
            waits = self._held > PACK_BYTES and part is not lane.plan.front
            if cut is not None:
                # What was cut off waits for all that is older.
                waits = True
                chunks += box.chunks
                self._held -= sum(len(chunk.content) for chunk in box.chunks)
                box.chunks = []
        if waits:
            chunks = [chunk.packing() for chunk in chunks]
        with self._changed:
            box.encoding -= 1
            if lane.failure is None:
                box.chunks += chunks
                self._held += sum(len(chunk.content) for chunk in chunks)
            self._changed.notify_all()

    def _fail_lane(self, lane: Lane, part: Part, error: StreamError) -> None:
        with self._changed:
            lane.failure = lane.failure or error
            # Finished parts before the failure still count.
            lane.plan.abandon(part)
            for lost in [one for one in lane.boxes if one not in lane.plan.parts]:
                self._held -= sum(len(chunk.content) for chunk in lane.boxes.pop(lost).chunks)
            self._changed.notify_all()

    def _end(self, error: AccountError | DailyLimitError | None) -> None:
        with self._changed:
            self.failure = self.failure or error
            self._stop.set()
            self._changed.notify_all()
