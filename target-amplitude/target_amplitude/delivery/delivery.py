"""Deliver to Amplitude: what the reader calls, and the threads that send."""

from __future__ import annotations

import logging
import time
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from target_amplitude.common.threads import start_thread
from target_amplitude.delivery.coordinator import as_failure
from target_amplitude.delivery.destination import Destination
from target_amplitude.delivery.sender import Sender

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.delivery.block import Block, Campaign, Reject
    from target_amplitude.delivery.coordinator import Coordinator
    from target_amplitude.delivery.queue import Batch
    from target_amplitude.settings import Settings

_MAX_MEMORY = 40_000_000
"""Bytes of events and their lines that are queued before the reader has to wait."""

_IN_FLIGHT_SECONDS = 20.0
"""How long requests in flight are waited for after a failure."""

_POLL_SECONDS = 0.1
"""How soon the reader notices an interrupt, whose handler cannot take the lock to notify it, and
a sender that partial batches or throttled events are due."""

logger = logging.getLogger("target-amplitude")


class CampaignTable(Protocol):
    """Where campaigns go, to be acknowledged later."""

    def add(self, campaigns: Iterable[Campaign], checkpoint: int) -> list[Reject]:
        """Take campaigns that a checkpoint covers; returns those there is no room for."""

    def upload_early(self) -> None:
        """Upload once before the end of the run."""

    def upload(self) -> None:
        """Upload what is pending."""


class Delivery(Destination):
    """Delivers events in threads of its own, and campaigns as a lookup table."""

    outcome = "delivered"

    def __init__(
        self,
        settings: Settings,
        coordinator: Coordinator,
        campaigns: CampaignTable,
        delays: Delays,
        wake_reader: Callable[[], None],
    ) -> None:
        """Prepare; a thread starts when there is a batch and all others are at work.

        `wake_reader` is called when the run has failed, to end the reader's wait for input.
        """
        self._settings = settings
        self._coordinator = coordinator
        self._campaigns = campaigns
        self._delays = delays
        self._wake_reader = wake_reader
        self._deadline = inf
        self._threads: list[threading.Thread] = []
        self._idle_threads = 0

    @override
    def add(self, block: Block) -> None:
        if block.schemas:
            self._campaigns.upload_early()
        coordinator = self._coordinator
        with coordinator.changed:
            coordinator.raise_failure()
            refused = self._campaigns.add(block.campaigns, coordinator.checkpoints.current)
            coordinator.add(block, refused)
            if coordinator.queue.has_full_batch or (block.events and not self._threads):
                self._wake_sender()
            while coordinator.queue.memory > _MAX_MEMORY and not self._is_interrupted:
                if coordinator.queue.is_idle():
                    self._flush()
                coordinator.changed.wait(_POLL_SECONDS)
                coordinator.raise_failure()

    @override
    def finish(self) -> None:
        if self._drain():
            self._campaigns.upload()
        else:
            logger.warning("Not everything could be delivered in time; the next run goes on.")

    @override
    def interrupt(self, signum: int) -> None:
        self._deadline = time.monotonic() + self._delays.termination

    @property
    def _is_interrupted(self) -> bool:
        return self._deadline < inf

    @override
    def close(self) -> None:
        coordinator = self._coordinator
        with coordinator.changed:
            coordinator.is_ended = True
            coordinator.wake_all()
            if coordinator.failure is not None:
                coordinator.changed.wait_for(coordinator.queue.is_idle, _IN_FLIGHT_SECONDS)

    @override
    def figures(self) -> dict[str, Any]:
        return {"requests": self._coordinator.requests, "bytes": self._coordinator.sent_bytes}

    def _drain(self) -> bool:
        """Deliver everything queued so far; False if interrupted and out of time before the end."""
        coordinator = self._coordinator
        with coordinator.changed:
            while coordinator.queue.pending and coordinator.failure is None:
                if time.monotonic() > self._deadline:
                    break
                if coordinator.is_all_refused:
                    if not self._is_interrupted:
                        coordinator.fail(coordinator.refuses_everything())
                    break
                self._flush()
                coordinator.changed.wait(_POLL_SECONDS)
            coordinator.raise_failure()
            return not coordinator.queue.pending

    def _flush(self) -> None:
        self._coordinator.queue.flush()
        self._wake_sender()

    def _wake_sender(self) -> None:
        """Let one more sender look for a batch: each that wakes interrupts the reader."""
        if self._idle_threads:
            self._coordinator.work.notify()
        elif len(self._threads) < self._settings.max_concurrent_requests:
            name = f"sender-{len(self._threads)}"
            self._threads.append(start_thread(self._send, name))

    def _send(self) -> None:
        coordinator = self._coordinator
        sender: Sender | None = None
        try:
            sender = Sender(self._settings, coordinator, self._delays)
            while (batch := self._next_batch()) is not None:
                try:
                    with coordinator.changed:
                        if coordinator.queue.has_full_batch:
                            self._wake_sender()
                    sender.deliver(batch)
                finally:
                    with coordinator.changed:
                        coordinator.queue.release(batch, time.monotonic())
                        coordinator.changed.notify_all()
        except Exception as error:  # noqa: BLE001 - a thread that dies unseen loses events
            with coordinator.changed:
                coordinator.fail(as_failure(error, "A sending thread broke down"))
            self._wake_reader()
        finally:
            if sender is not None:
                sender.close()

    def _next_batch(self) -> Batch | None:
        """Wait for a batch that may be sent; None when the run has ended or failed."""
        coordinator = self._coordinator
        queue = coordinator.queue
        with coordinator.changed:
            while not coordinator.is_ended and coordinator.failure is None:
                now = time.monotonic()
                if now >= coordinator.flush_at:
                    coordinator.flush_at = inf
                    queue.flush()
                batch = queue.take(now)
                if batch is not None:
                    return batch
                self._idle_threads += 1
                coordinator.work.wait(_POLL_SECONDS)
                self._idle_threads -= 1
        return None
