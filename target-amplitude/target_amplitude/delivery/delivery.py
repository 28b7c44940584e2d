"""Deliver events: what the reader calls, and the threads that send."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from target_amplitude.amplitude.transport import host_of
from target_amplitude.delivery.backpressure import MAX_WAIT_SECONDS, Backpressure
from target_amplitude.delivery.coordinator import Coordinator
from target_amplitude.delivery.sender import Sender, refuses_everything
from target_amplitude.delivery.throttling import FOREVER
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.delays import Delays
    from target_amplitude.delivery.queued_event import Batch, QueuedEvent
    from target_amplitude.delivery.rejects import Reject, RejectsFile
    from target_amplitude.settings import Settings

_MAX_MEMORY = 40_000_000
"""Bytes of events and their lines that are queued before the reader has to wait."""

_MAX_MEMORY_UNSPLIT = 10_000_000
"""The same while one request travels at a time; if the reader has to wait, that is too few."""


class Delivery:
    """Takes events from the reader and settles each of them, in threads of its own."""

    def __init__(
        self,
        settings: Settings,
        rejects: RejectsFile,
        write_state: Callable[[bytes], None],
        delays: Delays,
        wake_reader: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; threads start with the first event.

        `wake_reader` is called when the run has failed, to end the reader's wait for input.
        """
        self._settings = settings
        self._rejects = rejects
        self._delays = delays
        self._wake_reader = wake_reader
        self._is_interrupted = False
        self._deadline = FOREVER
        self._threads: list[threading.Thread] = []
        self._backpressure = Backpressure()
        self.coordinator = Coordinator(settings, rejects, write_state, delays)

    @property
    def checkpoint(self) -> int:
        """Number of the checkpoint that covers what is read now."""
        return self.coordinator.checkpoints.current

    def add(
        self, events: list[QueuedEvent], rejects: list[Reject], settled: int, opened: int
    ) -> None:
        """Queue events and write rejects; waits while the queue is full.

        They come from `opened` records, of which `settled` need no delivery.

        Raises:
            RunFailedError: If the run has failed, or rejects cannot be written.
        """
        coordinator = self.coordinator
        queue = coordinator.queue
        with coordinator.changed:
            coordinator.raise_failure()
            coordinator.checkpoints.open(opened)
            self._rejects.write(rejects)
            coordinator.checkpoints.settle(self.checkpoint, settled)
            if not events:
                return
            self._start_threads()
            coordinator.work.notify(queue.put(events))
            while self._is_full() and not self._is_interrupted:
                if not queue.full_batches:
                    queue.flush()
                self._wait()
                coordinator.raise_failure()

    def close_checkpoint(self, state: bytes) -> None:
        """Take a state, which is written once everything before it is settled.

        Raises:
            RunFailedError: If the run has failed, or the state cannot be written.
        """
        with self.coordinator.changed:
            self.coordinator.raise_failure()
            self.coordinator.checkpoints.close(state)
            self.coordinator.write_true_state()
            self.coordinator.work.notify()

    def finish(self) -> bool:
        """Deliver everything queued so far; False if interrupted and out of time before the end.

        Raises:
            RunFailedError: If the run has failed.
        """
        coordinator = self.coordinator
        with coordinator.changed:
            while coordinator.queue.pending and coordinator.failure is None:
                if self._is_interrupted and time.monotonic() > self._deadline:
                    break
                if coordinator.has_only_suspects:
                    if not self._is_interrupted:
                        host = host_of(self._settings.url)
                        coordinator.failure = refuses_everything(host, coordinator.suspects[-1][-1])
                    break
                coordinator.queue.flush()
                self._wait()
            coordinator.raise_failure()
            return not coordinator.queue.pending

    def interrupt(self) -> None:
        """Let the reader go even if the queue is full; safe in a signal handler."""
        self._deadline = time.monotonic() + self._delays.termination
        self._is_interrupted = True

    def stop(self, seconds: float = 0.0) -> None:
        """Stop the threads, after so many seconds for requests in flight."""
        until = time.monotonic() + seconds
        coordinator = self.coordinator
        with coordinator.changed:
            coordinator.is_ended = True
            coordinator.changed.notify_all()
            coordinator.work.notify_all()
            while not coordinator.queue.is_idle() and time.monotonic() < until:
                coordinator.changed.wait(max(0.0, until - time.monotonic()))

    def _is_full(self) -> bool:
        queue = self.coordinator.queue
        return queue.memory > (_MAX_MEMORY if queue.is_split else _MAX_MEMORY_UNSPLIT)

    def _wait(self) -> None:
        """Wait for the senders, and let more of them work if the reader has waited too long."""
        coordinator = self.coordinator
        coordinator.work.notify_all()
        begun = time.monotonic()
        coordinator.changed.wait(MAX_WAIT_SECONDS)
        is_high = self._backpressure.is_high(begun, time.monotonic())
        if is_high and (coordinator.queue.full_batches or self._is_full()):
            coordinator.queue.split()
            self._start_threads()

    def _start_threads(self) -> None:
        for number in range(len(self._threads), self.coordinator.queue.partition_count):
            thread = threading.Thread(target=self._send, name=f"sender-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _send(self) -> None:
        sender = Sender(self._settings, self.coordinator, self._delays)
        try:
            while (batch := self._next_batch()) is not None:
                try:
                    sender.deliver(batch)
                finally:
                    with self.coordinator.changed:
                        self.coordinator.queue.complete(batch, time.monotonic())
                        self.coordinator.changed.notify_all()
        except RunFailedError as failure:
            self._fail(failure)
        except Exception as failure:  # noqa: BLE001 - a thread that dies unseen loses events
            kind = type(failure).__name__
            self._fail(RunFailedError(f"A sending thread broke down with {kind}; run it again."))
        finally:
            sender.close()

    def _next_batch(self) -> Batch | None:
        """Wait for a batch that may be sent; None when the run has ended or failed."""
        coordinator = self.coordinator
        queue = coordinator.queue
        with coordinator.changed:
            while not coordinator.is_ended and coordinator.failure is None:
                now = time.monotonic()
                if now >= coordinator.flush_at:
                    queue.flush()
                    coordinator.flush_at = FOREVER
                batch = queue.take(now)
                if batch is None:
                    due = min(coordinator.flush_at, queue.throttling.next_retry_at())
                    coordinator.work.wait(None if due == FOREVER else max(0.01, due - now))
                    continue
                batch.events, left = queue.throttling.separate(batch.events)
                coordinator.leave(left)
                if coordinator.flush_at != FOREVER or queue.has_more():
                    coordinator.work.notify()
                if batch.events:
                    return batch
                queue.complete(batch, now)
                coordinator.changed.notify_all()
        return None

    def _fail(self, failure: RunFailedError) -> None:
        with self.coordinator.changed:
            self.coordinator.failure = self.coordinator.failure or failure
            self.coordinator.changed.notify_all()
            self.coordinator.work.notify_all()
        self._wake_reader()
