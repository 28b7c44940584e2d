"""A cache that fetches missing values in batches; each key is fetched once for all threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_hubspot_email_events.hubspot.client import RequestCount

CAPACITY = 100_000

K = TypeVar("K")
V = TypeVar("V")


@dataclass(eq=False, slots=True)
class _Pending(Generic[V]):
    """A value to come; lighter than a Future, since a page may need a thousand."""

    values: tuple[V, ...] = ()
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
        self._queued: dict[K, _Pending[V]] = {}
        self._in_flight: dict[K, _Pending[V]] = {}
        self._batches_in_flight = 0
        self._changed = threading.Condition()

    def find(self, keys: Iterable[K], count: RequestCount) -> dict[K, V]:
        """The values of keys; requests that this thread makes for them are added to `count`.

        Raises:
            Exception: Whatever `fetch` raised for one of them; a later call tries again.
        """
        found: dict[K, V] = {}
        with self._changed:
            awaited = self._enqueue_missing(keys, found)
        while awaited:
            with self._changed:
                while not (done := _all_done(awaited)) and not (batch := self._take_batch()):
                    self._changed.wait()
            if done:
                if failures := [each.failure for each in awaited.values() if each.failure]:
                    raise failures[0]
                found.update((key, pending.values[0]) for key, pending in awaited.items())
                break
            self._fetch_batch(batch, count)
        return found

    def _enqueue_missing(self, keys: Iterable[K], found: dict[K, V]) -> dict[K, _Pending[V]]:
        """Put cached values into `found`, and return the others, to be fetched by any thread."""
        awaited: dict[K, _Pending[V]] = {}
        for key in keys:
            if key in found:
                continue
            if key in self._cached:
                self._cached.move_to_end(key)
                found[key] = self._cached[key]
            elif key in self._in_flight:
                awaited[key] = self._in_flight[key]
            else:
                awaited[key] = self._queued.setdefault(key, _Pending())
        return awaited

    def _take_batch(self) -> dict[K, _Pending[V]]:
        """The next batch; one that is not full waits for more keys while others are in flight."""
        if len(self._queued) < self._batch and self._batches_in_flight:
            return {}
        batch = dict(islice(self._queued.items(), self._batch))
        for key in batch:
            self._in_flight[key] = self._queued.pop(key)
        self._batches_in_flight += bool(batch)
        return batch

    def _fetch_batch(self, batch: dict[K, _Pending[V]], count: RequestCount) -> None:
        values: Mapping[K, V] = {}
        failure: BaseException | None = None
        try:
            values = self._fetch(list(batch), count)
        except BaseException as error:  # noqa: BLE001 - raised again in every thread that waits
            failure = error
        with self._changed:
            self._batches_in_flight -= 1
            for key, pending in batch.items():
                del self._in_flight[key]
                if failure is None:
                    self._cached[key] = values[key]
                    pending.values = (values[key],)
                pending.failure = failure
            while len(self._cached) > self._capacity:
                self._cached.popitem(last=False)
            self._changed.notify_all()


def _all_done(awaited: Mapping[K, _Pending[V]]) -> bool:
    """Whether all values have come, or one of them has failed."""
    pending = awaited.values()
    return all(each.values for each in pending) or any(each.failure for each in pending)
