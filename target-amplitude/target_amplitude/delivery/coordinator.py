"""What the reader and the sending threads of a run share: queue, checkpoints, rejects, counts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING

from target_amplitude.amplitude.transport import Transport, host_of
from target_amplitude.common.errors import sentence_of
from target_amplitude.delivery.block import Reject, by_stream
from target_amplitude.delivery.checkpoints import Checkpoints
from target_amplitude.delivery.queue import PartitionedQueue
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.delivery.block import Block, QueuedEvent
    from target_amplitude.delivery.rejects import RejectsFile
    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.settings import Settings

_CHECKPOINT = attrgetter("checkpoint")

_MAX_REFUSED_ALONE = 50
"""Events refused alone, with none accepted, beyond which it is not the events that are refused."""


class Coordinator:
    """Coordinates deliveries under one lock, which callers hold.

    Attributes:
        changed: The lock; notified when a batch is done and when the run fails.
        work: The same lock; notified when there is a batch to send.
        failure: Why the run has failed, if it has.
        flush_at: When partial batches are to be flushed, in seconds of the run's clock.
        is_ended: Whether senders are to stop.
        accepted: Number of events that Amplitude has accepted.
        refused_alone: Events that were alone in a refused request before any event was accepted,
            each with reason and message. They stay in the queue's count and in no state, since
            what answers may be a proxy that refuses everything.
        requests: Number of requests answered or failed.
        sent_bytes: Bytes of their bodies before compression.
    """

    def __init__(
        self,
        settings: Settings,
        rejects: RejectsFile,
        write_state: Callable[[bytes], None],
        delays: Delays,
    ) -> None:
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
        self.flush_at = inf
        self.is_ended = False
        self.accepted = 0
        self.refused_alone: list[tuple[QueuedEvent, str, str]] = []
        self.requests = 0
        self.sent_bytes = 0

    def raise_failure(self) -> None:
        """Raise the run's failure, if it has failed."""
        if self.failure is not None:
            raise self.failure

    def fail(self, failure: RunFailedError) -> None:
        """End the run with this failure, unless it has failed already."""
        self.failure = self.failure or failure
        self.wake_all()

    def wake_all(self) -> None:
        """Wake everyone who waits."""
        self.changed.notify_all()
        self.work.notify_all()

    def add(self, block: Block, rejects: Iterable[Reject] = ()) -> None:
        """Queue the events of a block, write its rejects and these, and take its state.

        Raises:
            RunFailedError: If rejects or the state cannot be written.
        """
        number = self.checkpoints.current
        refused = [*block.rejects, *rejects]
        self.checkpoints.open(block.records)
        self._rejects.add_schemas(block.schemas)
        self._rejects.write(refused)
        self.checkpoints.acknowledge(number, len(refused) + block.skipped)
        for event in block.events:
            event.checkpoint = number
        self.queue.put(block.events)
        if block.state is not None:
            self.checkpoints.close(block.state)
            self.write_true_state()

    def accept(self, events: list[QueuedEvent]) -> None:
        """Acknowledge events that Amplitude has accepted.

        Raises:
            RunFailedError: If the state that has become true cannot be written.
        """
        self.accepted += len(events)
        self._acknowledge(events)
        for counts, group in by_stream(events):
            counts.add_delivered([event.time for event in group])
        self._reject_those_alone()
        self.write_true_state()

    def reject(self, refused: Iterable[tuple[QueuedEvent, str]], reason: str, message: str) -> None:
        """Write events to the rejects file, each with its detail, and acknowledge them."""
        pairs = list(refused)
        if not pairs:
            return
        message = message.replace(self._settings.api_key, "<api_key>")
        self._rejects.write(
            Reject(event.line, reason, detail, message, event.counts) for event, detail in pairs
        )
        self._acknowledge([event for event, _ in pairs])
        self.write_true_state()

    def refuse_alone(self, event: QueuedEvent, reason: str, message: str) -> None:
        """Reject an event that was alone in a refused request, once another was accepted.

        Raises:
            RunFailedError: If so many were that everything is refused.
        """
        self.refused_alone.append((event, reason, message))
        self._reject_those_alone()
        if len(self.refused_alone) > _MAX_REFUSED_ALONE:
            raise self.refuses_everything()

    def _reject_those_alone(self) -> None:
        if self.accepted:
            refused, self.refused_alone = self.refused_alone, []
            for event, reason, message in refused:
                self.reject([(event, "")], reason, message)

    @property
    def is_all_refused(self) -> bool:
        """Whether every event that is pending was refused alone, and none accepted."""
        return bool(self.refused_alone) and self.queue.pending == len(self.refused_alone)

    def refuses_everything(self) -> RunFailedError:
        """Return the failure of a run in which every request is refused and no event named."""
        _, _, message = self.refused_alone[-1]
        return RunFailedError(
            f"{host_of(self._settings.url)} refuses every event ({message}), so none of them is "
            "taken for a bad one and no state covers them; check api_url, and whether a proxy or "
            "firewall stands between.",
        )

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
            except Exception as error:  # noqa: BLE001 - whatever it is, no state was written
                # Failed while the lock is held, so that nobody takes an empty queue for success.
                failure = as_failure(error, "State cannot be written")
                self.fail(failure)
                raise failure from None
        if not self.checkpoints.is_waiting:
            self.flush_at = inf
        elif self.flush_at == inf:
            self.flush_at = time.monotonic() + self._delays.partial_batch

    def _acknowledge(self, events: list[QueuedEvent]) -> None:
        self.queue.remove(events)
        for number, count in Counter(map(_CHECKPOINT, events)).items():
            self.checkpoints.acknowledge(number, count)


def as_failure(error: Exception, what: str) -> RunFailedError:
    """Return an error as the run's failure, one that nobody expected by its kind."""
    if isinstance(error, RunFailedError):
        return error
    return RunFailedError(sentence_of(error) or f"{what} ({type(error).__name__}); run it again.")
