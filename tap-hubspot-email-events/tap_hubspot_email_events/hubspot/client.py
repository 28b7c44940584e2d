"""Requests to HubSpot, each sent until it is answered or retries run out."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from tap_hubspot_email_events.common.session import Answer, UnansweredError
from tap_hubspot_email_events.errors import (
    AccountError,
    DailyLimitError,
    NotFoundError,
    RefusedError,
    StoppedError,
    StreamError,
    UnreadableError,
)
from tap_hubspot_email_events.hubspot.anomalies import Anomalies
from tap_hubspot_email_events.hubspot.answers import (
    LONG_WAIT,
    UNREADABLE,
    Accept,
    DailyLimitReached,
    Reauthorise,
    Refuse,
    Retry,
    Throttle,
    decide,
)
from tap_hubspot_email_events.hubspot.auth import authenticator
from tap_hubspot_email_events.hubspot.clock import HubSpotClock
from tap_hubspot_email_events.hubspot.limiter import Limiter
from tap_hubspot_email_events.hubspot.mending import mend
from tap_hubspot_email_events.hubspot.transport import Transport
from tap_hubspot_email_events.settings import now_milliseconds
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_hubspot_email_events.hubspot.answers import Decision
    from tap_hubspot_email_events.settings import Settings

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
FIRST_CONTACT_RETRIES = 2
"""Before the first answer of all, a wrong host is likelier than a temporary failure."""

UNREADABLE_RETRIES = 2
MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
BROKEN_CHARACTERS = (
    "Events with characters that are no UTF-8 or JSON: {count} ({names}); those were replaced by "
    "U+FFFD or kept, and numbers that are none, or values too large to read, by null."
)

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class RequestCount:
    """The requests sent so far and how many of them were retries; safe to share by threads."""

    requests: int = 0
    retried: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, retried: bool) -> None:
        """Count one request."""
        with self._lock:
            self.requests += 1
            self.retried += retried


@dataclass(slots=True)
class _Request:
    """A request, its content as `requests` takes it, and the attempts at it so far."""

    method: str
    path: str
    content: Mapping[str, Any]
    # Successes of all threads when counting failures last began.
    successes: int
    scope: str = "content"
    failures: int = 0
    unreadable: int = 0
    token_renewed: bool = False
    sent: bool = False


class HubSpotClient:
    """Sends requests within HubSpot's limits and retries them with backoff."""

    def __init__(self, settings: Settings, user_agent: str) -> None:
        """Prepare it; setting `stop` ends all waiting."""
        self.stop = threading.Event()
        self.clock = HubSpotClock()
        self.anomalies = Anomalies()
        self.limiter = Limiter(settings.requests_per_10_seconds)
        self._transport = Transport(settings.max_concurrent_requests, user_agent)
        self.authenticator = authenticator(settings, self._transport, self.stop)
        self._api_url = settings.api_url
        self._max_retries = settings.max_retries
        self._announced = float("-inf")

    def get(
        self,
        path: str,
        params: Mapping[str, Any],
        decode: Callable[[bytes], T],
        count: RequestCount,
    ) -> T:
        """Send a GET request and decode the answer; raises what `post` raises."""
        request = _Request("GET", path, {"params": params}, self.limiter.successes)
        return self._perform(request, decode, count)

    def post(
        self,
        path: str,
        content: Any,
        decode: Callable[[bytes], T],
        count: RequestCount,
        *,
        scope: str,
    ) -> T:
        """Send a POST request that only reads, and so may be repeated; `scope` is what it needs.

        Raises:
            AccountError: No request of this account will succeed.
            RefusedError: This request has no usable answer.
            NotFoundError: HubSpot does not know what was asked for.
            StreamError: HubSpot's limits leave no room for this request.
            DailyLimitError: No requests are left for today.
            StoppedError: The run ended first.
        """
        request = _Request("POST", path, {"json": content}, self.limiter.successes, scope)
        return self._perform(request, decode, count)

    def _perform(self, request: _Request, decode: Callable[[bytes], T], count: RequestCount) -> T:
        while True:
            self.limiter.acquire(self.stop)
            token = self.authenticator.token()
            count.add(retried=request.sent)
            request.sent = True
            outcome = self._send(request, token)
            if isinstance(outcome, Answer):
                try:
                    result = self._decode(outcome.body, decode)
                except UNREADABLE:
                    self._retry_unreadable(request)
                    continue
                self.limiter.learn(outcome.headers)
                return result
            self._react(outcome, request, token)

    def _decode(self, body: bytes, decode: Callable[[bytes], T]) -> T:
        try:
            return decode(body)
        except UNREADABLE:
            mended = mend(body)
            if mended is None:
                raise
        result = decode(mended.body)
        self.anomalies.note(BROKEN_CHARACTERS, mended.events, count=max(1, len(mended.events)))
        return result

    def _send(self, request: _Request, token: str) -> Answer | Decision:
        sent = now_milliseconds()
        try:
            answer = self._transport.send(
                request.method,
                self._api_url + request.path,
                token=token,
                **request.content,
            )
        except UnansweredError as error:
            return Retry(str(error), status=error.status)
        self.clock.observe(answer.headers, sent=sent, received=now_milliseconds())
        decision = decide(answer.status, answer.headers, answer.body, scope=request.scope)
        return answer if isinstance(decision, Accept) else decision

    def _react(self, decision: Decision, request: _Request, token: str) -> None:
        match decision:
            case Retry():
                self._back_off(request, decision)
            case Throttle(policy=policy, wait=wait):
                self._announce(self.limiter.throttled(policy, wait), f"its {policy} limit")
                self._count_throttled(request, policy)
            case Reauthorise():
                if request.token_renewed:
                    raise AccountError(
                        f"HubSpot refused the token (HTTP 401); {self.authenticator.advice}."
                    )
                self.authenticator.renew(token)
                request.token_renewed = True
                if self.stop.wait(FIRST_BACKOFF):
                    raise StoppedError
            case Refuse(sentence=sentence, status=status):
                raise (NotFoundError if status in MISSING else RefusedError)(sentence, status)
            case DailyLimitReached():
                raise DailyLimitError

    def _count_throttled(self, request: _Request, policy: str) -> None:
        # As long as other requests succeed, this one only has to wait for its turn.
        if self.limiter.successes > request.successes:
            request.successes, request.failures = self.limiter.successes, 0
        request.failures += 1
        if request.failures > self._max_retries:
            raise StreamError(
                f"HubSpot kept answering that its {policy} limit is used up; lower "
                "`requests_per_10_seconds`, or run again when other apps ask less"
            )

    def _retry_unreadable(self, request: _Request) -> None:
        request.unreadable += 1
        if request.unreadable > min(UNREADABLE_RETRIES, self._max_retries):
            sentence = (
                f"{self._api_url} answered with something other than HubSpot's JSON; check "
                "`api_url` and whether a proxy or a login page is in between"
            )
            if self.limiter.successes:
                raise RefusedError(sentence, HTTPStatus.OK)
            raise UnreadableError(sentence)
        self._back_off(request, Retry("an unreadable answer", status=HTTPStatus.OK))

    def _back_off(self, request: _Request, decision: Retry) -> None:
        request.failures += 1
        retries = self._max_retries
        if not decision.status and not self.limiter.successes:
            retries = min(retries, FIRST_CONTACT_RETRIES)
        if request.failures > retries:
            self._give_up(request.failures, decision)
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (request.failures - 1))
        # Half of it random, so that threads that failed together do not retry together.
        wait = max(decision.wait, backoff * random.uniform(0.5, 1.0))  # noqa: S311
        if decision.wait:
            self._announce(wait, decision.reason)
        if self.stop.wait(wait):
            raise StoppedError

    def _give_up(self, attempts: int, decision: Retry) -> NoReturn:
        times = "once" if attempts == 1 else f"{attempts} times in a row"
        if not decision.status:
            raise AccountError(
                f"HubSpot could not be reached at {self._api_url}, tried {times} "
                f"({decision.reason}); check the network and `api_url`, then run again"
            )
        raise RefusedError(
            f"HubSpot failed {times} ({decision.reason}); run again later, lower `page_size` or "
            "raise `max_retries`",
            decision.status,
        )

    def _announce(self, seconds: float, reason: str) -> None:
        """Say that a long wait begins, once for all threads, or it looks like a hang."""
        until = time.time() + seconds
        if seconds >= LONG_WAIT and until > self._announced + 1:
            self._announced = until
            logger.info(
                "HubSpot asks to wait %.0f s (%s); the run goes on at %s",
                seconds,
                reason,
                format_timestamp(int(until * 1000)),
            )
