"""A cache that fetches missing values in batches; each key is fetched once for all threads."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tap_hubspot_email_events.hubspot.client import RequestCount

CAPACITY = 100_000

K = TypeVar("K")
V = TypeVar("V")


@dataclass(eq=False, slots=True)
class _Batch(Generic[K, V]):
    """Keys to be fetched at once, and then their values or why there are none."""

    keys: list[K] = field(default_factory=list)
    values: Mapping[K, V] = field(default_factory=dict)
    failure: BaseException | None = None


class Lookup(Generic[K, V]):
    """Values by key, fetched when first needed; safe to share by threads."""

    def __init__(
        self,
        fetch: Callable[[list[K], RequestCount], Mapping[K, V]],
        *,
        batch: int,
        capacity: int = CAPACITY,
    ) -> None:
        """Fetch up to `batch` keys at once; keep the `capacity` values used last.

        `fetch` must return a value for every key.
        """
        self._fetch = fetch
        self._batch = batch
        self._capacity = capacity
        self._cached: OrderedDict[K, V] = OrderedDict()
        # The batch of each key that has no value yet, and those that no thread has taken.
        self._batches: dict[K, _Batch[K, V]] = {}
        self._queue: deque[_Batch[K, V]] = deque()
        self._in_flight = 0
        self._changed = threading.Condition()

    def find(self, keys: Iterable[K], count: RequestCount) -> dict[K, V]:
        """The values of keys; requests that this thread makes for them are added to `count`.

        Raises:
            Exception: Whatever `fetch` raised for one of them; a later call tries again.
        """
        found: dict[K, V] = {}
        awaited: dict[K, _Batch[K, V]] = {}
        with self._changed:
            for key in keys:
                if key in self._cached:
                    self._cached.move_to_end(key)
                    found[key] = self._cached[key]
                else:
                    awaited[key] = self._batches.get(key) or self._enqueue(key)
        batches = set(awaited.values())
        while (batch := self._next_batch(batches)) is not None:
            self._fetch_batch(batch, count)
        if failures := [each.failure for each in batches if each.failure]:
            raise failures[0]
        found.update((key, batch.values[key]) for key, batch in awaited.items())
        return found

    def _enqueue(self, key: K) -> _Batch[K, V]:
        if not self._queue or len(self._queue[-1].keys) == self._batch:
            self._queue.append(_Batch())
        batch = self._batches[key] = self._queue[-1]
        batch.keys.append(key)
        return batch

    def _next_batch(self, awaited: Collection[_Batch[K, V]]) -> _Batch[K, V] | None:
        """Wait for a batch to fetch; None once those `awaited` have come, or one has failed."""
        with self._changed:
            while not (
                all(each.values for each in awaited) or any(each.failure for each in awaited)
            ):
                # One that is not full waits for more keys while others are in flight.
                if self._queue and (not self._in_flight or len(self._queue[0].keys) == self._batch):
                    self._in_flight += 1
                    return self._queue.popleft()
                self._changed.wait()
        return None

    def _fetch_batch(self, batch: _Batch[K, V], count: RequestCount) -> None:
        try:
            batch.values = self._fetch(batch.keys, count)
        except BaseException as error:  # noqa: BLE001 - raised again in every thread that waits
            batch.failure = error
        with self._changed:
            self._in_flight -= 1
            for key in batch.keys:
                del self._batches[key]
            self._cached.update(batch.values)
            while len(self._cached) > self._capacity:
                self._cached.popitem(last=False)
            self._changed.notify_all()
