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
    Stop,
    decide,
)
from target_amplitude.amplitude.http import say_wait
from target_amplitude.amplitude.transport import Transport, host_of
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from target_amplitude.amplitude.answers import Decision
    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.delivery.block import QueuedEvent
    from target_amplitude.delivery.coordinator import Coordinator
    from target_amplitude.delivery.queue import Batch
    from target_amplitude.settings import Settings

_MAX_REFUSED_ALONE = 50
"""Events refused alone, with none accepted, beyond which it is not the events that are refused."""

logger = logging.getLogger("target-amplitude")


class Sender:
    """Delivers batches over a connection of its own."""

    def __init__(self, settings: Settings, coordinator: Coordinator, delays: Delays) -> None:
        self._settings = settings
        self._coordinator = coordinator
        self._delays = delays
        self._host = host_of(settings.url)
        self._transport = Transport(settings)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def deliver(self, batch: Batch) -> None:
        """Send a batch until each of its events is acknowledged, held back or deferred.

        Raises:
            RunFailedError: If an answer ends the run.
        """
        unsent = [batch.events]
        failures = 0
        while unsent and not self._coordinator.is_ended:
            events = unsent.pop()
            answer, size = self._transport.post([event.body for event in events])
            decision = decide(answer, len(events))
            with self._coordinator.changed:
                self._coordinator.count_request(events, size)
            if isinstance(decision, PartialFailure) and not _names_any(decision, events):
                decision = decision.fallback
            if isinstance(decision, Retry):
                failures += 1
                self._pause(decision, failures)
                unsent.append(events)
                with self._coordinator.changed:
                    self._coordinator.count_retry(events)
            else:
                failures = 0
                self._act(decision, events, unsent)

    def _act(
        self, decision: Decision, events: list[QueuedEvent], unsent: list[list[QueuedEvent]]
    ) -> None:
        if isinstance(decision, Delivered):
            self._accept(events, decision.ingested)
        elif isinstance(decision, PartialFailure):
            with self._coordinator.changed:
                others = self._take_out_named(decision, events, unsent)
                self._coordinator.count_retry(others)
            if others:
                unsent.append(others)
        elif isinstance(decision, Bisect):
            self._bisect(decision, events, unsent)
        elif isinstance(decision, Stop):
            self._stop(decision)

    def _accept(self, events: list[QueuedEvent], ingested: int | None) -> None:
        if ingested is not None and ingested < len(events):
            logger.warning(
                "Amplitude confirmed %d of the %d events of a request; "
                "look at Settings > Schema Settings in Amplitude for blocked ones.",
                ingested,
                len(events),
            )
        with self._coordinator.changed:
            self._coordinator.accept(events)

    def _bisect(
        self, decision: Bisect, events: list[QueuedEvent], unsent: list[list[QueuedEvent]]
    ) -> None:
        coordinator = self._coordinator
        with coordinator.changed:
            if len(events) > 1:
                middle = len(events) // 2
                unsent += [events[middle:], events[:middle]]
                coordinator.count_retry(events)
                return
            coordinator.refuse_alone(events[0], decision.reason, decision.message)
            if len(coordinator.refused_alone) > _MAX_REFUSED_ALONE:
                raise refuses_everything(self._host, decision.message)

    def _take_out_named(
        self,
        decision: PartialFailure,
        events: list[QueuedEvent],
        unsent: list[list[QueuedEvent]],
    ) -> list[QueuedEvent]:
        """Reject, hold back or defer the named events; returns the others, to be sent at once."""
        refused: list[tuple[QueuedEvent, str]] = []
        rest: list[tuple[int, QueuedEvent]] = []
        for index, event in enumerate(events):
            detail = decision.refused.get(index)
            if detail is None and _is_named(event, decision.refused_devices):
                detail = "device is silenced"
            if detail is None:
                rest.append((index, event))
            else:
                refused.append((event, detail))
        over_quota = {event.user for _, event in rest if _is_named(event, decision.exhausted_ids)}
        throttled = {
            event.user
            for index, event in rest
            if index in decision.throttled or _is_named(event, decision.throttled_ids)
        }
        throttled -= over_quota
        self._coordinator.reject(refused, "refused by Amplitude", decision.message)
        # In the order of reading, so that a user's events are held back in order.
        parts = [[event for _, event in rest], *reversed(unsent)]
        if over_quota:
            self._defer(over_quota, parts)
        if throttled:
            self._hold(throttled, parts, decision)
        named = throttled | over_quota
        unsent[:] = [others for part in unsent if (others := _without(part, named))]
        return _without(parts[0], named)

    def _defer(self, users: set[str], parts: list[list[QueuedEvent]]) -> None:
        """Leave the events of users whose daily quota is used up for another run."""
        logger.warning(
            "Amplitude's daily quota of %d user(s) is used up; "
            "their events are left for a run after the quota has recovered.",
            len(users),
        )
        self._coordinator.defer(self._coordinator.queue.throttling.stop_users(users))
        self._coordinator.defer(_of_users(parts, users))

    def _hold(
        self, users: set[str], parts: list[list[QueuedEvent]], decision: PartialFailure
    ) -> None:
        """Hold the events of throttled users back, also those of the batch not sent yet."""
        held = _of_users(parts, users)
        # One of nothing, or a date that has passed, would use up all attempts at once.
        pause = decision.retry_after or self._delays.throttle[self._settings.endpoint]
        say_wait(f"Amplitude throttles {len(users):,} user(s)", pause)
        attempts = self._coordinator.queue.throttling.hold(held, time.monotonic() + pause)
        self._coordinator.count_retry(held)
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
        pause = self._delays.backoff(failures)
        if decision.throttled:
            pause = max(pause, self._delays.throttle[self._settings.endpoint])
        if decision.retry_after:
            pause = decision.retry_after
        say_wait(f"Amplitude: {decision.reason}", pause)
        until = time.monotonic() + pause
        coordinator = self._coordinator
        with coordinator.changed:
            while (
                not coordinator.is_ended
                and coordinator.failure is None
                and time.monotonic() < until
            ):
                coordinator.changed.wait(max(0.0, until - time.monotonic()))
            coordinator.raise_failure()

    def _stop(self, decision: Stop) -> None:
        if decision.key_refused:
            raise RefusedKeyError(
                f"{self._host} does not know this API key ({decision.reason}); check api_key, and "
                "region: a key of an EU project is unknown in the US, and the other way round.",
            )
        raise RunFailedError(f"{self._host} takes no events ({decision.reason}); check api_url.")


def refuses_everything(host: str, message: str) -> RunFailedError:
    """Return the failure of a run in which every request was refused without naming an event."""
    return RunFailedError(
        f"{host} refuses every event ({message}), so none of them is taken for a bad one and no "
        "state covers them; check api_url, and whether a proxy or firewall stands between.",
    )


def _is_named(event: QueuedEvent, ids: frozenset[str]) -> bool:
    return bool(ids) and (event.user in ids or event.device in ids)


def _names_any(decision: PartialFailure, events: list[QueuedEvent]) -> bool:
    ids = decision.refused_devices | decision.throttled_ids | decision.exhausted_ids
    return bool(decision.refused or decision.throttled) or any(
        _is_named(event, ids) for event in events
    )


def _of_users(parts: list[list[QueuedEvent]], users: set[str]) -> list[QueuedEvent]:
    return [event for part in parts for event in part if event.user in users]


def _without(events: list[QueuedEvent], users: set[str]) -> list[QueuedEvent]:
    return [event for event in events if event.user not in users]
