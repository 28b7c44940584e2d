"""What the reader and the sending threads of a run share: queue, checkpoints, rejects, counts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING

from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery.checkpoints import Checkpoints
from target_amplitude.delivery.queue import PartitionedQueue
from target_amplitude.delivery.queued_event import by_stream
from target_amplitude.delivery.rejects import Reject
from target_amplitude.delivery.throttling import FOREVER
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_amplitude.delays import Delays
    from target_amplitude.delivery.queued_event import QueuedEvent
    from target_amplitude.delivery.rejects import RejectsFile
    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.settings import Settings

_CHECKPOINT = attrgetter("checkpoint")
_COUNTS = attrgetter("counts")


class Coordinator:
    """Coordinates deliveries under one lock, which callers hold.

    Attributes:
        changed: The lock; notified when events are settled or the run fails.
        work: The same lock; idle senders wait on it. Each is woken only when there is a batch for
            it, since waking a thread interrupts the one that reads.
        failure: Why the run has failed, if it has.
        flush_at: When partial batches are to be flushed, in seconds of the run's clock.
        is_ended: Whether senders are to stop.
        accepted: Number of events that Amplitude has accepted.
        suspects: Events that were alone in a refused request before any event was accepted, each
            with reason and message. They stay in the queue's count and in no state, since what
            answers may be a proxy that refuses everything.
        requests: Number of requests answered or failed.
        sent_bytes: Bytes of their bodies before compression.
        exhausted_events: Number of events left for another run, since a quota is exhausted.
    """

    def __init__(
        self,
        settings: Settings,
        rejects: RejectsFile,
        write_state: Callable[[bytes], None],
        delays: Delays,
    ) -> None:
        """Start with an empty queue."""
        self._settings = settings
        self._rejects = rejects
        self._write_state = write_state
        self._delays = delays
        lock = threading.RLock()
        self.changed = threading.Condition(lock)
        self.work = threading.Condition(lock)
        self.checkpoints = Checkpoints()
        self.queue = PartitionedQueue(
            settings.max_concurrent_requests,
            settings.batch_size_rows,
            Transport.max_event_bytes(settings),
        )
        self.failure: RunFailedError | None = None
        self.flush_at = FOREVER
        self.is_ended = False
        self.accepted = 0
        self.suspects: list[tuple[QueuedEvent, str, str]] = []
        self.requests = 0
        self.sent_bytes = 0
        self.exhausted_events = 0

    def raise_failure(self) -> None:
        """Raise the run's failure, if it has failed.

        Raises:
            RunFailedError: That failure.
        """
        if self.failure is not None:
            raise self.failure

    def accept(self, events: list[QueuedEvent]) -> None:
        """Settle events that Amplitude has accepted.

        Raises:
            RunFailedError: If the state that has become true cannot be written.
        """
        self.accepted += len(events)
        for counts, count in self._settle(events).items():
            counts.delivered += count
        self._reject_suspects()
        self.write_true_state()

    def reject(self, refused: Iterable[tuple[QueuedEvent, str]], reason: str, message: str) -> None:
        """Write events to the rejects file, each with its detail, and settle them.

        Raises:
            RunFailedError: If they, or the state that has become true, cannot be written.
        """
        pairs = list(refused)
        if not pairs:
            return
        message = message.replace(self._settings.api_key, "<api_key>")
        self._rejects.write(
            Reject(event.line, reason, detail, message, event.counts) for event, detail in pairs
        )
        self._settle([event for event, _ in pairs])
        self.write_true_state()

    def refuse_alone(self, event: QueuedEvent, reason: str, message: str) -> None:
        """Reject an event that was alone in a refused request, once another was accepted.

        Raises:
            RunFailedError: If it, or the state that has become true, cannot be written.
        """
        self.suspects.append((event, reason, message))
        self._reject_suspects()
        self.changed.notify_all()

    def _reject_suspects(self) -> None:
        if self.accepted:
            suspects, self.suspects = self.suspects, []
            for event, reason, message in suspects:
                self.reject([(event, "")], reason, message)

    @property
    def has_only_suspects(self) -> bool:
        """Whether every event that is not settled was refused alone, and none accepted."""
        return bool(self.suspects) and self.queue.pending == len(self.suspects)

    def leave(self, events: list[QueuedEvent]) -> None:
        """Leave events of users with an exhausted quota unsettled, so that no state covers them."""
        self.queue.remove(events)
        self.exhausted_events += len(events)

    def count_retry(self, events: list[QueuedEvent]) -> None:
        """Count events that are sent again."""
        for event in events:
            event.counts.retried += 1

    def count_request(self, events: list[QueuedEvent], size: int) -> None:
        """Count a request with a body of so many bytes."""
        self.requests += 1
        self.sent_bytes += size
        sent: Counter[StreamCounts] = Counter()
        for counts, group in by_stream(events):
            sent[counts] += sum([len(event.body) for event in group])
        for counts, sent_bytes in sent.items():
            counts.sent_bytes += sent_bytes
            counts.requests += 1

    def write_true_state(self) -> None:
        """Write the newest state that has become true, and set `flush_at` for the next one.

        Raises:
            RunFailedError: If the rejects it relies on, or the state itself, cannot be written.
        """
        if isinstance(self.failure, RefusedKeyError):
            return
        state = self.checkpoints.take()
        if state is not None:
            try:
                self._rejects.sync()
                self._write_state(state)
            except RunFailedError as failure:
                # Set while the lock is held, so that nobody takes an empty queue for success.
                self.failure = self.failure or failure
                raise
        if not self.checkpoints.is_waiting:
            self.flush_at = FOREVER
        elif self.flush_at == FOREVER:
            self.flush_at = time.monotonic() + self._delays.partial_batch

    def _settle(self, events: list[QueuedEvent]) -> Counter[StreamCounts]:
        """Settle events; returns how many there were of each stream."""
        self.queue.remove(events)
        for number, count in Counter(map(_CHECKPOINT, events)).items():
            self.checkpoints.settle(number, count)
        by_counts = Counter(map(_COUNTS, events))
        now = time.monotonic()
        for counts in by_counts:
            counts.ended = now
        self.changed.notify_all()
        return by_counts
