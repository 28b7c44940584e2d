"""Look-ups that many threads share: each key asked for once, in batches, remembered in bounds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_hubspot_email_events.hubspot.client import Tally

MOST_KEPT = 100_000

K = TypeVar("K")
V = TypeVar("V")


@dataclass(eq=False, slots=True)
class _Pending(Generic[V]):
    """What somebody has asked for, or will: a Future, but a thousand a page cost nothing."""

    values: tuple[V, ...] = ()
    failure: BaseException | None = None


class Lookup(Generic[K, V]):
    """Values by key, from whoever asks first; safe to share by threads."""

    def __init__(
        self,
        ask: Callable[[list[K], Tally], Mapping[K, V]],
        *,
        batch: int,
        most: int = MOST_KEPT,
    ) -> None:
        """Call `ask` with up to `batch` keys at once; keep the `most` values last used.

        `ask` must return a value for every key.
        """
        self._ask = ask
        self._batch = batch
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._wanted: dict[K, _Pending[V]] = {}
        self._asked: dict[K, _Pending[V]] = {}
        self._asking = 0
        self._changed = threading.Condition()

    def find(self, keys: Iterable[K], tally: Tally) -> dict[K, V]:
        """The values of keys; requests made for them count in `tally`.

        Raises:
            Exception: Whatever `ask` raised for one of them; a later call asks again.
        """
        found: dict[K, V] = {}
        with self._changed:
            awaited = self._order(keys, found)
        while awaited:
            with self._changed:
                while not (done := _all_done(awaited)) and not (batch := self._take()):
                    self._changed.wait()
            if done:
                if failures := [each.failure for each in awaited.values() if each.failure]:
                    raise failures[0]
                found.update((key, pending.values[0]) for key, pending in awaited.items())
                break
            self._fetch(batch, tally)
        return found

    def _order(self, keys: Iterable[K], found: dict[K, V]) -> dict[K, _Pending[V]]:
        """Put what is known into `found`; what is not is awaited, whoever may ask for it."""
        awaited: dict[K, _Pending[V]] = {}
        for key in keys:
            if key in found:
                continue
            if key in self._kept:
                self._kept.move_to_end(key)
                found[key] = self._kept[key]
            elif key in self._asked:
                awaited[key] = self._asked[key]
            else:
                awaited[key] = self._wanted.setdefault(key, _Pending())
        return awaited

    def _take(self) -> dict[K, _Pending[V]]:
        """The next batch. One that is not full waits for company while others are on their way."""
        if len(self._wanted) < self._batch and self._asking:
            return {}
        batch = dict(islice(self._wanted.items(), self._batch))
        for key in batch:
            self._asked[key] = self._wanted.pop(key)
        self._asking += bool(batch)
        return batch

    def _fetch(self, batch: dict[K, _Pending[V]], tally: Tally) -> None:
        values: Mapping[K, V] = {}
        failure: BaseException | None = None
        try:
            values = self._ask(list(batch), tally)
        except BaseException as error:  # noqa: BLE001 - raised again in every thread that awaits it
            failure = error
        with self._changed:
            self._asking -= 1
            for key, pending in batch.items():
                del self._asked[key]
                if failure is None:
                    self._kept[key] = values[key]
                    pending.values = (values[key],)
                pending.failure = failure
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            self._changed.notify_all()


def _all_done(awaited: Mapping[K, _Pending[V]]) -> bool:
    """Whether all have an answer, or one of them has failed."""
    pending = awaited.values()
    return all(each.values for each in pending) or any(each.failure for each in pending)
