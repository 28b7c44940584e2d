"""Delivering events: lanes, retries and what an answer does to the books."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from target_amplitude.answers import Delivered, Halve, Retry, Sort, Stop, decide
from target_amplitude.failures import RefusedKeyError, RunFailedError
from target_amplitude.lanes import FOREVER, Batch, Item, Lanes
from target_amplitude.ledger import Ledger
from target_amplitude.rejects import Reject
from target_amplitude.timing import Timing
from target_amplitude.transport import Transport, host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_amplitude.answers import Decision
    from target_amplitude.rejects import RejectsFile
    from target_amplitude.settings import Settings

_MAX_WEIGHT = 40_000_000
"""Bytes of events and their lines held in memory before the reader has to wait."""

_HOPELESS_REFUSALS = 50
"""Events refused one by one, with none ever accepted, after which it is not the events."""

logger = logging.getLogger("target-amplitude")


class Delivery:
    """Takes events from the reader and settles each of them in the ledger, in threads of its own.

    Everything but the requests themselves happens under one lock, which is also the condition
    that everybody waits for.
    """

    def __init__(
        self,
        settings: Settings,
        rejects: RejectsFile,
        write_state: Callable[[bytes], None],
        *,
        timing: Timing | None = None,
        wake_reader: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; threads start with the first event.

        `write_state` writes a state, `wake_reader` ends the reader's wait when the run has failed.
        """
        self._settings = settings
        self._rejects = rejects
        self._write_state = write_state
        self._wake_reader = wake_reader
        self._timing = timing or Timing()
        self._changed = threading.Condition()
        self.ledger = Ledger()
        self._lanes = Lanes(
            settings.max_concurrent_requests,
            settings.batch_size_rows,
            Transport.room(settings),
        )
        self._failure: RunFailedError | None = None
        self._ended = False
        self._interrupted = False
        self._partial_at = FOREVER
        self._accepted = 0
        self._lone_refusals = 0
        self.requests = 0
        self.sent_bytes = 0
        self.exhausted_events = 0
        self._threads: list[threading.Thread] = []

    def add(self, items: list[Item], rejects: list[Reject], settled: int, opened: int) -> None:
        """Take what a piece of input became; waits while too much is under way.

        Raises:
            RunFailedError: If the run has failed meanwhile.
        """
        with self._changed:
            self._raise_failure()
            self.ledger.open(opened)
            if rejects:
                self._rejects.write(rejects)
            if settled:
                self.ledger.settle(self.ledger.epoch, settled)
            if not items:
                return
            self._start()
            self._lanes.put(items)
            self._changed.notify_all()
            while self._lanes.weight > _MAX_WEIGHT and not self._interrupted:
                self._lanes.make_due()
                self._changed.wait(0.5)
                self._raise_failure()

    def close_epoch(self, state: bytes) -> None:
        """Take a state; it is written once everything before it is settled.

        Raises:
            RunFailedError: If the run has failed meanwhile, or the state cannot be written.
        """
        with self._changed:
            self._raise_failure()
            self.ledger.close(state)
            self._advance()
            self._changed.notify_all()

    def finish(self, seconds: float = FOREVER) -> bool:
        """Deliver everything taken so far; whether that was done within so many seconds.

        Raises:
            RunFailedError: If the run has failed.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while self._lanes.held and self._failure is None and time.monotonic() < until:
                self._lanes.make_due()
                self._changed.notify_all()
                self._changed.wait(min(0.5, max(0.0, until - time.monotonic())))
            self._raise_failure()
            return not self._lanes.held

    def interrupt(self) -> None:
        """Let the reader go even where too much is under way; safe in a signal handler."""
        self._interrupted = True

    def stop(self, seconds: float = 0.0) -> None:
        """End the threads; requests under way have so many seconds to come home."""
        until = time.monotonic() + seconds
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            while not self._lanes.is_idle() and time.monotonic() < until:
                self._changed.wait(max(0.0, until - time.monotonic()))

    def fail(self, failure: RunFailedError) -> None:
        """End the run for this reason, unless there is one already."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()
        self._wake_reader()

    @property
    def failure(self) -> RunFailedError | None:
        """Why the run has failed, if it has."""
        return self._failure

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _start(self) -> None:
        if self._threads:
            return
        for number in range(self._settings.max_concurrent_requests):
            thread = threading.Thread(target=self._work, name=f"sender-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        transport = Transport(self._settings)
        try:
            while (batch := self._next_batch()) is not None:
                try:
                    self._deliver(batch, transport)
                finally:
                    with self._changed:
                        self._lanes.give_back(batch, time.monotonic())
                        self._changed.notify_all()
        except RunFailedError as failure:
            self.fail(failure)
        except Exception as failure:  # noqa: BLE001 - a thread that dies unseen loses events
            kind = type(failure).__name__
            self.fail(RunFailedError(f"A sending thread broke down with {kind}; run it again."))
        finally:
            transport.close()

    def _next_batch(self) -> Batch | None:
        with self._changed:
            while not self._ended and self._failure is None:
                now = time.monotonic()
                if now >= self._partial_at:
                    self._lanes.make_due()
                    self._partial_at = FOREVER
                batch = self._lanes.take(now)
                if batch is not None:
                    if batch.released:
                        return batch
                    batch.items, left = self._lanes.sift(batch.items)
                    self._leave(left)
                    if batch.items:
                        return batch
                    self._lanes.give_back(batch, now)
                    continue
                due = min(self._partial_at, self._lanes.next_release())
                self._changed.wait(None if due == FOREVER else max(0.01, due - now))
            return None

    def _deliver(self, batch: Batch, transport: Transport) -> None:
        """Deliver a batch, or as much of it as answers allow; each round settles or splits some."""
        stack = [batch.items]
        failures = 0
        while stack and not self._ended:
            items = stack.pop()
            answer, size = transport.post([item.body for item in items])
            decision = decide(answer, len(items))
            with self._changed:
                self._count_request(items, size)
            if isinstance(decision, Retry):
                failures += 1
                self._pause(decision, failures)
                stack.append(items)
                self._retried(items)
            else:
                failures = 0
                self._act(decision, items, stack)

    def _act(self, decision: Decision, items: list[Item], stack: list[list[Item]]) -> None:
        if isinstance(decision, Delivered):
            self._accept(items, decision.ingested)
        elif isinstance(decision, Sort):
            rest = self._sort(decision, items, stack)
            if rest:
                stack.append(rest)
                self._retried(rest)
        elif isinstance(decision, Halve):
            if len(items) == 1:
                self._refuse_alone(items[0], decision)
            else:
                middle = len(items) // 2
                stack += [items[middle:], items[:middle]]
                self._retried(items)
        elif isinstance(decision, Stop):
            self._halt(decision)

    def _accept(self, items: list[Item], ingested: int | None) -> None:
        with self._changed:
            self._accepted += len(items)
            for item in items:
                item.tally.delivered += 1
            self._settle(items)
        if ingested is not None and ingested < len(items):
            logger.warning(
                "Amplitude confirmed %d of the %d events of a request; "
                "look at Settings > Schema Settings in Amplitude for blocked ones.",
                ingested,
                len(items),
            )

    def _sort(self, decision: Sort, items: list[Item], stack: list[list[Item]]) -> list[Item]:
        """Refuse and park the named events; returns the others, to be sent at once."""
        refused: list[tuple[Item, str]] = []
        others: list[tuple[int, Item]] = []
        for index, item in enumerate(items):
            verdict = decision.refused.get(index)
            if verdict is None and _named(item, decision.refused_devices):
                verdict = "device is silenced"
            if verdict is None:
                others.append((index, item))
            else:
                refused.append((item, verdict))
        waiting = {item.user for index, item in others if index in decision.waiting}
        waiting |= {item.user for _, item in others if _named(item, decision.waiting_ids)}
        exhausted = {item.user for _, item in others if _named(item, decision.exhausted_ids)}
        waiting -= exhausted
        progress = bool(refused or waiting or exhausted)
        rest = [item for _, item in others]
        with self._changed:
            self._reject(refused, "refused by Amplitude", decision.words)
            rest = self._hold_back(decision, waiting, exhausted, rest, stack)
            self._changed.notify_all()
        if not progress:
            raise RunFailedError(
                f"{host_of(self._settings.url)} throttles users that no event belongs to; "
                "run it again later.",
            )
        return rest

    def _hold_back(
        self,
        decision: Sort,
        waiting: set[str],
        exhausted: set[str],
        rest: list[Item],
        stack: list[list[Item]],
    ) -> list[Item]:
        """Park or leave the events of these users, also those of the batch not yet sent."""
        if exhausted:
            logger.warning(
                "Amplitude's daily quota of %d user(s) is used up; "
                "their events are left for a run after the quota has recovered.",
                len(exhausted),
            )
            self._leave(self._lanes.exhaust(exhausted))
        if not (waiting or exhausted):
            return rest
        held = [item for item in rest if item.user in waiting]
        left = [item for item in rest if item.user in exhausted]
        for position in reversed(range(len(stack))):
            later = stack[position]
            held += [item for item in later if item.user in waiting]
            left += [item for item in later if item.user in exhausted]
            stack[position] = _without(later, waiting | exhausted)
        stack[:] = [later for later in stack if later]
        self._leave(left)
        if held:
            pause = decision.retry_after or self._timing.throttle[self._settings.endpoint]
            attempts = self._lanes.park(held, time.monotonic() + pause)
            for item in held:
                item.tally.retried += 1
            if attempts > self._settings.max_retries:
                raise RunFailedError(
                    f"Amplitude still throttles {len(waiting)} user(s) after {attempts - 1} "
                    "retries; run it again later, it goes on from the last state.",
                )
        return _without(rest, waiting | exhausted)

    def _refuse_alone(self, item: Item, decision: Halve) -> None:
        with self._changed:
            self._lone_refusals += 1
            if not self._accepted and self._lone_refusals > _HOPELESS_REFUSALS:
                raise RunFailedError(
                    f"{host_of(self._settings.url)} refuses every event ({decision.words}); check "
                    "api_url, and whether a proxy or firewall stands between.",
                )
            self._reject([(item, decision.reason)], decision.reason, decision.words)

    def _reject(self, refused: Iterable[tuple[Item, str]], reason: str, words: str) -> None:
        pairs = list(refused)
        if not pairs:
            return
        self._rejects.write(
            Reject(item.line, reason, detail, self._redact(words)) for item, detail in pairs
        )
        for item, _ in pairs:
            item.tally.reject(reason, counted=True)
        self._settle([item for item, _ in pairs])

    def _redact(self, words: str) -> str:
        return words.replace(self._settings.api_key, "<api_key>")

    def _leave(self, items: list[Item]) -> None:
        """Let go of events that stay unsettled, so that no state covers them."""
        self._lanes.drop(items)
        self.exhausted_events += len(items)
        for item in items:
            item.tally.left += 1

    def _settle(self, items: list[Item]) -> None:
        self._lanes.drop(items)
        for epoch, count in Counter([item.epoch for item in items]).items():
            self.ledger.settle(epoch, count)
        now = time.monotonic()
        for tally in {id(item.tally): item.tally for item in items}.values():
            tally.ended = now
        self._advance()
        self._changed.notify_all()

    def _advance(self) -> None:
        """Write the state that has become true, and see to it that the next one does."""
        if isinstance(self._failure, RefusedKeyError):
            return
        state = self.ledger.take()
        if state is not None:
            self._rejects.sync()
            self._write_state(state)
        if not self.ledger.is_waiting:
            self._partial_at = FOREVER
        elif self._partial_at == FOREVER:
            self._partial_at = time.monotonic() + self._timing.partial_batch

    def _count_request(self, items: list[Item], size: int) -> None:
        self.requests += 1
        self.sent_bytes += size
        seen = set()
        for item in items:
            tally = item.tally
            tally.sent_bytes += len(item.body)
            if id(tally) not in seen:
                seen.add(id(tally))
                tally.requests += 1

    def _retried(self, items: list[Item]) -> None:
        with self._changed:
            for item in items:
                item.tally.retried += 1

    def _pause(self, decision: Retry, failures: int) -> None:
        if failures > self._settings.max_retries:
            raise RunFailedError(
                f"{host_of(self._settings.url)} gave up no answer that counts after "
                f"{failures - 1} retries (last: {decision.reason}); "
                "run it again later, it goes on from the last state.",
            )
        pause = self._timing.backoff(failures)
        if decision.throttled:
            pause = self._timing.throttle[self._settings.endpoint]
        if decision.retry_after is not None:
            pause = decision.retry_after
        logger.info("%s; trying again in %.1f s.", decision.reason.capitalize(), pause)
        until = time.monotonic() + pause
        with self._changed:
            while not self._ended and self._failure is None and time.monotonic() < until:
                self._changed.wait(max(0.0, until - time.monotonic()))
            self._raise_failure()

    def _halt(self, decision: Stop) -> None:
        host = host_of(self._settings.url)
        if decision.key_refused:
            raise RefusedKeyError(
                f"{host} does not know this API key ({decision.reason}); check api_key, and "
                "region: a key of the EU data center is unknown in the US, and the other way round.",
            )
        raise RunFailedError(f"{host} takes no events ({decision.reason}); check api_url.")


def _named(item: Item, ids: frozenset[str]) -> bool:
    return bool(ids) and (item.user in ids or item.device in ids)


def _without(items: list[Item], users: set[str]) -> list[Item]:
    return [item for item in items if item.user not in users]
