"""What a sending thread does: one batch at a time, acting on each answer."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from target_amplitude.amplitude.answers import Delivered, Halve, Retry, Sort, Stop, decide
from target_amplitude.amplitude.transport import Transport, host_of
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from target_amplitude.amplitude.answers import Decision
    from target_amplitude.delays import Timing
    from target_amplitude.delivery.coordinator import Books
    from target_amplitude.delivery.queue import Batch, Item
    from target_amplitude.settings import Settings

_HOPELESS_REFUSALS = 50
"""Events refused one by one, with none ever accepted, after which it is not the events."""

logger = logging.getLogger("target-amplitude")


class Sender:
    """Delivers batches over a connection of its own and keeps the books of it."""

    def __init__(self, settings: Settings, books: Books, timing: Timing) -> None:
        """Prepare a connection."""
        self._settings = settings
        self._books = books
        self._timing = timing
        self._host = host_of(settings.url)
        self._transport = Transport(settings)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def deliver(self, batch: Batch) -> None:
        """Deliver a batch; each answer settles, parks or splits some of it, or is retried.

        Raises:
            RunFailedError: If an answer ends the run.
        """
        stack = [batch.items]
        failures = 0
        while stack and not self._books.is_ended:
            items = stack.pop()
            answer, size = self._transport.post([item.body for item in items])
            decision = decide(answer, len(items))
            with self._books.changed:
                self._books.count_request(items, size)
            if isinstance(decision, Sort) and not _concerns(decision, items):
                decision = decision.otherwise
            if isinstance(decision, Retry):
                failures += 1
                self._pause(decision, failures)
                stack.append(items)
                with self._books.changed:
                    self._books.retry(items)
            else:
                failures = 0
                self._act(decision, items, stack)

    def _act(self, decision: Decision, items: list[Item], stack: list[list[Item]]) -> None:
        if isinstance(decision, Delivered):
            self._accept(items, decision.ingested)
        elif isinstance(decision, Sort):
            with self._books.changed:
                rest = self._sort(decision, items, stack)
                self._books.retry(rest)
            if rest:
                stack.append(rest)
        elif isinstance(decision, Halve):
            self._halve(decision, items, stack)
        elif isinstance(decision, Stop):
            self._stop(decision)

    def _accept(self, items: list[Item], ingested: int | None) -> None:
        if ingested is not None and ingested < len(items):
            logger.warning(
                "Amplitude confirmed %d of the %d events of a request; "
                "look at Settings > Schema Settings in Amplitude for blocked ones.",
                ingested,
                len(items),
            )
        with self._books.changed:
            self._books.accept(items)

    def _halve(self, decision: Halve, items: list[Item], stack: list[list[Item]]) -> None:
        books = self._books
        with books.changed:
            if len(items) > 1:
                middle = len(items) // 2
                stack += [items[middle:], items[:middle]]
                books.retry(items)
                return
            books.lone_refusals += 1
            if not books.accepted and books.lone_refusals > _HOPELESS_REFUSALS:
                raise RunFailedError(
                    f"{self._host} refuses every event ({decision.words}); check api_url, and "
                    "whether a proxy or firewall stands between.",
                )
            books.reject([(items[0], "")], decision.reason, decision.words)

    def _sort(self, decision: Sort, items: list[Item], stack: list[list[Item]]) -> list[Item]:
        """Refuse and park the named events; returns the others, to be sent at once."""
        refused: list[tuple[Item, str]] = []
        others: list[tuple[int, Item]] = []
        for index, item in enumerate(items):
            verdict = decision.refused.get(index)
            if verdict is None and _is_named(item, decision.refused_devices):
                verdict = "device is silenced"
            if verdict is None:
                others.append((index, item))
            else:
                refused.append((item, verdict))
        exhausted = {item.user for _, item in others if _is_named(item, decision.exhausted_ids)}
        waiting = {
            item.user
            for index, item in others
            if index in decision.waiting or _is_named(item, decision.waiting_ids)
        }
        waiting -= exhausted
        self._books.reject(refused, "refused by Amplitude", decision.words)
        pool = [[item for _, item in others], *reversed(stack)]
        if exhausted:
            self._give_up_on(exhausted, pool)
        if waiting:
            self._park(waiting, pool, decision)
        named = waiting | exhausted
        stack[:] = [kept for later in stack if (kept := _without(later, named))]
        return _without(pool[0], named)

    def _give_up_on(self, users: set[str], pool: list[list[Item]]) -> None:
        """Leave the events of users whose daily quota is used up to another run."""
        logger.warning(
            "Amplitude's daily quota of %d user(s) is used up; "
            "their events are left for a run after the quota has recovered.",
            len(users),
        )
        self._books.leave(self._books.lanes.exhaust(users))
        self._books.leave([item for part in pool for item in part if item.user in users])

    def _park(self, users: set[str], pool: list[list[Item]], decision: Sort) -> None:
        """Park the events of throttled users, those of the batch not yet sent with them."""
        held = [item for part in pool for item in part if item.user in users]
        pause = decision.retry_after
        if pause is None:
            pause = self._timing.throttle[self._settings.endpoint]
        attempts = self._books.lanes.park(held, time.monotonic() + pause)
        self._books.retry(held)
        self._books.ready.notify()
        if attempts > self._settings.max_retries:
            raise RunFailedError(
                f"Amplitude still throttles {len(users)} user(s) after {attempts - 1} retries; "
                "run it again later, it goes on from the last state.",
            )

    def _pause(self, decision: Retry, failures: int) -> None:
        if failures > self._settings.max_retries:
            raise RunFailedError(
                f"{self._host} gave no answer that counts in {failures} attempts "
                f"(last: {decision.reason}); run it again later, it goes on from the last state.",
            )
        pause = self._timing.backoff(failures)
        if decision.throttled:
            pause = max(pause, self._timing.throttle[self._settings.endpoint])
        if decision.retry_after is not None:
            pause = decision.retry_after
        logger.info("Amplitude: %s; trying again in %.1f s.", decision.reason, pause)
        until = time.monotonic() + pause
        books = self._books
        with books.changed:
            while not books.is_ended and books.failure is None and time.monotonic() < until:
                books.changed.wait(max(0.0, until - time.monotonic()))
            books.raise_failure()

    def _stop(self, decision: Stop) -> None:
        if decision.key_refused:
            raise RefusedKeyError(
                f"{self._host} does not know this API key ({decision.reason}); check api_key, and "
                "region: a key of an EU project is unknown in the US, and the other way round.",
            )
        raise RunFailedError(f"{self._host} takes no events ({decision.reason}); check api_url.")


def _is_named(item: Item, ids: frozenset[str]) -> bool:
    return bool(ids) and (item.user in ids or item.device in ids)


def _concerns(decision: Sort, items: list[Item]) -> bool:
    """Whether an answer names at least one event of its request."""
    ids = decision.refused_devices | decision.waiting_ids | decision.exhausted_ids
    return bool(decision.refused or decision.waiting) or any(_is_named(i, ids) for i in items)


def _without(items: list[Item], users: set[str]) -> list[Item]:
    return [item for item in items if item.user not in users]
