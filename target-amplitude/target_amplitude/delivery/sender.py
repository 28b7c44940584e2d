"""What a sending thread does: send one batch at a time and act on each answer."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from target_amplitude.amplitude.answers import (
    Bisect,
    Delivered,
    PartialFailure,
    Retry,
    decide,
)
from target_amplitude.amplitude.http import say_wait
from target_amplitude.amplitude.transport import Transport, host_of
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from target_amplitude.amplitude.answers import Decision, Stop
    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.delivery.block import QueuedEvent
    from target_amplitude.delivery.coordinator import Coordinator
    from target_amplitude.delivery.queue import Batch
    from target_amplitude.settings import Settings

logger = logging.getLogger("target-amplitude")


class Sender:
    """Delivers batches over a connection of its own."""

    def __init__(self, settings: Settings, coordinator: Coordinator, delays: Delays) -> None:
        self._coordinator = coordinator
        self._max_retries = settings.max_retries
        self._delays = delays
        self._throttle = delays.throttle[settings.endpoint]
        self._host = host_of(settings.url)
        self._transport = Transport(settings)
        # Parts of the batch that are still to be sent, the next one last.
        self._unsent: list[list[QueuedEvent]] = []
        self._failures = 0

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def deliver(self, batch: Batch) -> None:
        """Send a batch until each of its events is acknowledged, held back or deferred.

        Raises:
            RunFailedError: If an answer ends the run.
        """
        self._unsent = [batch.events]
        while self._unsent and not self._coordinator.is_ended:
            events = self._unsent.pop()
            answer, size = self._transport.post([event.body for event in events])
            decision = decide(answer, events)
            with self._coordinator.changed:
                self._coordinator.count_request(events, size)
                self._act(decision, events)

    def _act(self, decision: Decision, events: list[QueuedEvent]) -> None:
        self._failures = self._failures + 1 if isinstance(decision, Retry) else 0
        match decision:
            case Delivered():
                self._accept(events, decision.ingested)
            case Retry():
                self._pause(decision)
                self._unsent.append(events)
                self._coordinator.count_retry(events)
            case PartialFailure():
                self._act_on_named(decision, events)
            case Bisect() if len(events) > 1:
                middle = len(events) // 2
                self._unsent += [events[middle:], events[:middle]]
                self._coordinator.count_retry(events)
            case Bisect():
                self._coordinator.refuse_alone(events[0], decision.reason, decision.message)
            case _:
                self._stop(decision)

    def _accept(self, events: list[QueuedEvent], ingested: int | None) -> None:
        if ingested is not None and ingested < len(events):
            logger.warning(
                "Amplitude confirmed %d of the %d events of a request; "
                "look at Settings > Schema Settings in Amplitude for blocked ones.",
                ingested,
                len(events),
            )
        self._coordinator.accept(events)

    def _pause(self, decision: Retry) -> None:
        if self._failures > self._max_retries:
            raise RunFailedError(
                f"{self._host} gave no answer that counts in {self._failures} attempts "
                f"(last: {decision.reason}); run it again later, it goes on from the last state.",
            )
        pause = self._delays.backoff(self._failures)
        if decision.throttled:
            pause = max(pause, self._throttle)
        pause = decision.retry_after or pause
        say_wait(f"Amplitude: {decision.reason}", pause)
        coordinator = self._coordinator
        coordinator.changed.wait_for(
            lambda: coordinator.is_ended or coordinator.failure is not None, pause
        )
        coordinator.raise_failure()

    def _act_on_named(self, decision: PartialFailure, events: list[QueuedEvent]) -> None:
        """Reject, hold back or defer the named events, so that the others are sent at once."""
        refused = [(events[index], detail) for index, detail in sorted(decision.refused.items())]
        self._coordinator.reject(refused, "refused by Amplitude", decision.message)
        over_quota = {events[index].user for index in decision.exhausted}
        throttled = {events[index].user for index in decision.throttled} - over_quota
        rest = [event for index, event in enumerate(events) if index not in decision.refused]
        parts = [rest, *reversed(self._unsent)]  # in the order of reading
        if over_quota:
            self._defer(over_quota, _of_users(parts, over_quota))
        if throttled:
            self._hold(throttled, _of_users(parts, throttled), decision.retry_after)
        named = throttled | over_quota
        left = [[event for event in part if event.user not in named] for part in parts]
        self._unsent = [part for part in reversed(left) if part]
        self._coordinator.count_retry([event for event in rest if event.user not in over_quota])

    def _defer(self, users: set[str], events: list[QueuedEvent]) -> None:
        """Leave users whose daily quota is used up to another run; no state covers their events."""
        logger.warning(
            "Amplitude's daily quota of %d user(s) is used up; "
            "their events are left for a run after the quota has recovered.",
            len(users),
        )
        self._coordinator.queue.defer(users, events)

    def _hold(self, users: set[str], events: list[QueuedEvent], retry_after: float | None) -> None:
        """Hold the events of throttled users back, also those of the batch not sent yet."""
        # One of nothing, or a date that has passed, would use up all attempts at once.
        pause = retry_after or self._throttle
        say_wait(f"Amplitude throttles {len(users):,} user(s)", pause)
        attempts = self._coordinator.queue.hold(events, time.monotonic() + pause)
        if attempts > self._max_retries:
            raise RunFailedError(
                f"Amplitude still throttles {len(users)} user(s) after {attempts - 1} retries; "
                "run it again later, it goes on from the last state.",
            )

    def _stop(self, decision: Stop) -> None:
        if decision.key_refused:
            raise RefusedKeyError(
                f"{self._host} does not know this API key ({decision.reason}); check api_key, and "
                "region: a key of an EU project is unknown in the US, and the other way round.",
            )
        raise RunFailedError(f"{self._host} takes no events ({decision.reason}); check api_url.")


def _of_users(parts: list[list[QueuedEvent]], users: set[str]) -> list[QueuedEvent]:
    return [event for part in parts for event in part if event.user in users]
