"""Delivering events: the reader's side of the books, and the threads that send."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from target_amplitude.delivery.backpressure import TOO_LONG_SECONDS, Congestion
from target_amplitude.delivery.coordinator import Books
from target_amplitude.delivery.queue import FOREVER, Batch, Item
from target_amplitude.delivery.sender import Sender
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.delays import Timing
    from target_amplitude.delivery.rejects import Reject, RejectsFile
    from target_amplitude.settings import Settings

_MAX_WEIGHT = 40_000_000
"""Bytes of events and their lines held in memory before the reader has to wait."""

_WEIGHT_IN_ONE_LANE = 10_000_000
"""The same while requests travel one by one: whether the reader waits tells if that is enough."""


class Delivery:
    """Takes events from the reader and settles each of them, in threads of its own."""

    def __init__(
        self,
        settings: Settings,
        rejects: RejectsFile,
        write_state: Callable[[bytes], None],
        timing: Timing,
        wake_reader: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; threads start with the first event.

        `write_state` writes a state, `wake_reader` ends the reader's wait when the run has failed.
        """
        self._settings = settings
        self._rejects = rejects
        self._timing = timing
        self._wake_reader = wake_reader
        self._is_interrupted = False
        self._last_moment = FOREVER
        self._threads: list[threading.Thread] = []
        self._congestion = Congestion()
        self.books = Books(settings, rejects, write_state, timing)

    @property
    def epoch(self) -> int:
        """The ledger's number for what is read now."""
        return self.books.ledger.epoch

    def add(self, items: list[Item], rejects: list[Reject], settled: int, opened: int) -> None:
        """Take what a piece of input became; waits while too much is under way.

        `opened` records were read for it, of which `settled` need no delivery.

        Raises:
            RunFailedError: If the run has failed meanwhile, or rejects cannot be kept.
        """
        books = self.books
        with books.changed:
            books.raise_failure()
            books.ledger.open(opened)
            self._rejects.write(rejects)
            books.ledger.settle(books.ledger.epoch, settled)
            if not items:
                return
            self._start()
            books.ready.notify(books.lanes.put(items))
            while self._is_crowded() and not self._is_interrupted:
                if not books.lanes.waiting:
                    books.lanes.make_due()
                self._wait()
                books.raise_failure()

    def close_epoch(self, state: bytes) -> None:
        """Take a state; it is written once everything before it is settled.

        Raises:
            RunFailedError: If the run has failed meanwhile, or the state cannot be written.
        """
        with self.books.changed:
            self.books.raise_failure()
            self.books.ledger.close(state)
            self.books.advance()
            self.books.ready.notify()

    def finish(self) -> bool:
        """Deliver everything taken so far; False if interrupted and out of time before the end.

        Raises:
            RunFailedError: If the run has failed.
        """
        books = self.books
        with books.changed:
            while books.lanes.held and books.failure is None:
                if self._is_interrupted and time.monotonic() > self._last_moment:
                    break
                books.lanes.make_due()
                self._wait()
            books.raise_failure()
            return not books.lanes.held

    def interrupt(self) -> None:
        """Let the reader go even where too much is under way; safe in a signal handler."""
        self._last_moment = time.monotonic() + self._timing.termination
        self._is_interrupted = True

    def stop(self, seconds: float = 0.0) -> None:
        """End the threads; requests under way have so many seconds to come home."""
        until = time.monotonic() + seconds
        books = self.books
        with books.changed:
            books.is_ended = True
            books.changed.notify_all()
            books.ready.notify_all()
            while not books.lanes.is_idle() and time.monotonic() < until:
                books.changed.wait(max(0.0, until - time.monotonic()))

    def _is_crowded(self) -> bool:
        lanes = self.books.lanes
        return lanes.weight > (_MAX_WEIGHT if lanes.is_spread else _WEIGHT_IN_ONE_LANE)

    def _wait(self) -> None:
        """Let the senders work; there are more of them once the reader has waited for too long."""
        books = self.books
        books.ready.notify_all()
        begun = time.monotonic()
        books.changed.wait(TOO_LONG_SECONDS)
        is_too_long = self._congestion.is_felt(begun, time.monotonic())
        if is_too_long and (books.lanes.waiting or self._is_crowded()):
            books.lanes.spread()
            self._start()

    def _start(self) -> None:
        for number in range(len(self._threads), self.books.lanes.in_use):
            thread = threading.Thread(target=self._work, name=f"sender-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        sender = Sender(self._settings, self.books, self._timing)
        try:
            while (batch := self._next_batch()) is not None:
                try:
                    sender.deliver(batch)
                finally:
                    with self.books.changed:
                        self.books.lanes.give_back(batch, time.monotonic())
                        self.books.changed.notify_all()
        except RunFailedError as failure:
            self._fail(failure)
        except Exception as failure:  # noqa: BLE001 - a thread that dies unseen loses events
            kind = type(failure).__name__
            self._fail(RunFailedError(f"A sending thread broke down with {kind}; run it again."))
        finally:
            sender.close()

    def _next_batch(self) -> Batch | None:
        books = self.books
        with books.changed:
            while not books.is_ended and books.failure is None:
                now = time.monotonic()
                if now >= books.partial_at:
                    books.lanes.make_due()
                    books.partial_at = FOREVER
                batch = books.lanes.take(now)
                if batch is None:
                    due = min(books.partial_at, books.lanes.next_release())
                    books.ready.wait(None if due == FOREVER else max(0.01, due - now))
                    continue
                batch.items, left = books.lanes.sift(batch.items)
                books.leave(left)
                if books.partial_at != FOREVER or books.lanes.has_more():
                    books.ready.notify()
                if batch.items:
                    return batch
                books.lanes.give_back(batch, now)
                books.changed.notify_all()
        return None

    def _fail(self, failure: RunFailedError) -> None:
        with self.books.changed:
            self.books.failure = self.books.failure or failure
            self.books.changed.notify_all()
            self.books.ready.notify_all()
        self._wake_reader()
