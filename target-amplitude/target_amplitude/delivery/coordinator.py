"""The shared books of one run: what is under way, what is settled, which state is true."""

from __future__ import annotations

import threading
import time
from collections import Counter
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery.checkpoints import Ledger
from target_amplitude.delivery.queue import FOREVER, Item, Lanes
from target_amplitude.delivery.rejects import Reject
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_amplitude.delays import Timing
    from target_amplitude.delivery.rejects import RejectsFile
    from target_amplitude.history.counts import StreamTally
    from target_amplitude.settings import Settings

_EPOCH = attrgetter("epoch")
_TALLY = attrgetter("tally")


class Books:
    """Lanes, ledger, rejects and counts under one lock, which its callers hold.

    Attributes:
        changed: The lock, on which those wait who need something to be settled.
        ready: The same lock, on which idle senders wait; each is woken only for work of its own,
            since every waking interrupts the thread that reads.
    """

    def __init__(
        self,
        settings: Settings,
        rejects: RejectsFile,
        write_state: Callable[[bytes], None],
        timing: Timing,
    ) -> None:
        """Open empty books."""
        self._settings = settings
        self._rejects = rejects
        self._write_state = write_state
        self._timing = timing
        lock = threading.RLock()
        self.changed = threading.Condition(lock)
        self.ready = threading.Condition(lock)
        self.ledger = Ledger()
        self.lanes = Lanes(
            settings.max_concurrent_requests,
            settings.batch_size_rows,
            Transport.room(settings),
        )
        self.failure: RunFailedError | None = None
        self.partial_at = FOREVER
        self.is_ended = False
        self.accepted = 0
        self.lone_refusals = 0
        self.requests = 0
        self.sent_bytes = 0
        self.exhausted_events = 0

    def raise_failure(self) -> None:
        """Raise what the run has failed of, if it has.

        Raises:
            RunFailedError: That.
        """
        if self.failure is not None:
            raise self.failure

    def accept(self, items: list[Item]) -> None:
        """Note that Amplitude has these events."""
        self.accepted += len(items)
        for tally, count in self._settle(items).items():
            tally.delivered += count
        self.advance()

    def reject(self, refused: Iterable[tuple[Item, str]], reason: str, words: str) -> None:
        """Keep events aside, each with what is wrong with it.

        Raises:
            RunFailedError: If they cannot be kept.
        """
        pairs = list(refused)
        if not pairs:
            return
        words = words.replace(self._settings.api_key, "<api_key>")
        self._rejects.write(
            Reject(item.line, reason, detail, words, item.tally) for item, detail in pairs
        )
        self._settle([item for item, _ in pairs])
        self.advance()

    def leave(self, items: list[Item]) -> None:
        """Let go of events that stay unsettled, so that no state covers them."""
        self.lanes.drop(items)
        self.exhausted_events += len(items)

    def retry(self, items: list[Item]) -> None:
        """Note that events travel once more."""
        for item in items:
            item.tally.retried += 1

    def count_request(self, items: list[Item], size: int) -> None:
        """Note a request of so many bytes."""
        self.requests += 1
        self.sent_bytes += size
        sent: Counter[StreamTally] = Counter()
        for tally, run in groupby(items, _TALLY):
            sent[tally] += sum([len(item.body) for item in run])
        for tally, sent_bytes in sent.items():
            tally.sent_bytes += sent_bytes
            tally.requests += 1

    def advance(self) -> None:
        """Write the state that has become true, and see to it that the next one does.

        Raises:
            RunFailedError: If the rejects it relies on, or the state itself, cannot be written.
        """
        if isinstance(self.failure, RefusedKeyError):
            return
        state = self.ledger.take()
        if state is not None:
            try:
                self._rejects.sync()
                self._write_state(state)
            except RunFailedError as failure:
                # While the lock is held: whoever has it next sees that nothing is left to deliver.
                self.failure = self.failure or failure
                raise
        if not self.ledger.is_waiting:
            self.partial_at = FOREVER
        elif self.partial_at == FOREVER:
            self.partial_at = time.monotonic() + self._timing.partial_batch

    def _settle(self, items: list[Item]) -> Counter[StreamTally]:
        """Settle events in the ledger; returns how many of each stream there were."""
        self.lanes.drop(items)
        for epoch, count in Counter(map(_EPOCH, items)).items():
            self.ledger.settle(epoch, count)
        counts = Counter(map(_TALLY, items))
        now = time.monotonic()
        for tally in counts:
            tally.ended = now
        self.changed.notify_all()
        return counts
