"""Requests to HubSpot, each sent until it is answered or retries run out."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

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
from tap_hubspot_email_events.hubspot.answers import (
    LONG_WAIT,
    Accept,
    DailyLimitReached,
    Reauthorise,
    Refuse,
    Retry,
    Throttle,
    decide,
)
from tap_hubspot_email_events.hubspot.mending import mend
from tap_hubspot_email_events.settings import now_milliseconds
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_hubspot_email_events.hubspot.anomalies import Anomalies
    from tap_hubspot_email_events.hubspot.answers import Decision
    from tap_hubspot_email_events.hubspot.auth import Authenticator
    from tap_hubspot_email_events.hubspot.clock import HubSpotClock
    from tap_hubspot_email_events.hubspot.limiter import Limiter
    from tap_hubspot_email_events.hubspot.transport import Transport

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


@dataclass(frozen=True, slots=True)
class _Request:
    """A request that may be repeated."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    body: bytes | None = None
    scope: str = "content"


@dataclass(slots=True)
class _Attempts:
    """The attempts at one request so far."""

    # Successes of all threads when counting failures last began.
    successes: int
    failures: int = 0
    unreadable: int = 0
    token_renewed: bool = False
    sent: bool = False


class HubSpotClient:
    """Sends requests within HubSpot's limits and retries them with backoff."""

    def __init__(  # noqa: PLR0913 - each is another collaborator
        self,
        transport: Transport,
        authenticator: Authenticator,
        limiter: Limiter,
        stop: threading.Event,
        *,
        clock: HubSpotClock,
        anomalies: Anomalies,
        api_url: str,
        max_retries: int,
    ) -> None:
        """Send to `api_url`, with up to `max_retries` retries each; `stop` ends all waiting."""
        self._clock = clock
        self._anomalies = anomalies
        self._announced = float("-inf")
        self._transport = transport
        self._authenticator = authenticator
        self._limiter = limiter
        self._stop = stop
        self._api_url = api_url
        self._max_retries = max_retries

    def get(
        self,
        path: str,
        params: Mapping[str, Any],
        decode: Callable[[bytes], T],
        count: RequestCount,
    ) -> T:
        """Send a GET request and decode the answer; raises what `post` raises."""
        return self._perform(_Request("GET", path, params=params), decode, count)

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
        body = msgspec.json.encode(content)
        return self._perform(_Request("POST", path, body=body, scope=scope), decode, count)

    def _perform(self, request: _Request, decode: Callable[[bytes], T], count: RequestCount) -> T:
        attempts = _Attempts(self._limiter.successes)
        while True:
            self._limiter.acquire(self._stop)
            token = self._authenticator.token()
            count.add(retried=attempts.sent)
            attempts.sent = True
            outcome = self._send(request, token)
            if isinstance(outcome, Answer):
                try:
                    result = self._decode(outcome.body, decode)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    self._retry_unreadable(attempts)
                    continue
                self._limiter.learn(outcome.headers)
                return result
            self._react(outcome, attempts, token)

    def _decode(self, body: bytes, decode: Callable[[bytes], T]) -> T:
        try:
            return decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            mended = mend(body)
            if mended is None:
                raise
        result = decode(mended.body)
        self._anomalies.note(BROKEN_CHARACTERS, mended.events, count=max(1, len(mended.events)))
        return result

    def _send(self, request: _Request, token: str) -> Answer | Decision:
        sent = now_milliseconds()
        try:
            answer = self._transport.send(
                request.method,
                self._api_url + request.path,
                params=request.params,
                data=request.body,
                token=token,
            )
        except UnansweredError as error:
            return Retry(str(error), status=error.status)
        self._clock.observe(answer.headers, sent=sent, received=now_milliseconds())
        decision = decide(answer.status, answer.headers, answer.body, scope=request.scope)
        return answer if isinstance(decision, Accept) else decision

    def _react(self, decision: Decision, attempts: _Attempts, token: str) -> None:
        match decision:
            case Retry():
                self._back_off(attempts, decision)
            case Throttle(policy=policy, wait=wait):
                self._announce(self._limiter.throttled(policy, wait), f"its {policy} limit")
                self._count_throttled(attempts, policy)
            case Reauthorise():
                if attempts.token_renewed or not self._authenticator.renew(token):
                    raise AccountError(
                        f"HubSpot refused the token (HTTP 401); {self._authenticator.advice}."
                    )
                attempts.token_renewed = True
                if self._stop.wait(FIRST_BACKOFF):
                    raise StoppedError
            case Refuse(sentence=sentence, status=status):
                raise (NotFoundError if status in MISSING else RefusedError)(sentence, status)
            case DailyLimitReached():
                raise DailyLimitError

    def _count_throttled(self, attempts: _Attempts, policy: str) -> None:
        # As long as other requests succeed, this one only has to wait for its turn.
        if self._limiter.successes > attempts.successes:
            attempts.successes, attempts.failures = self._limiter.successes, 0
        attempts.failures += 1
        if attempts.failures > self._max_retries:
            raise StreamError(
                f"HubSpot kept answering that its {policy} limit is used up; lower "
                "`requests_per_10_seconds`, or run again when other apps ask less"
            )

    def _retry_unreadable(self, attempts: _Attempts) -> None:
        attempts.unreadable += 1
        if attempts.unreadable > min(UNREADABLE_RETRIES, self._max_retries):
            sentence = (
                f"{self._api_url} answered with something other than HubSpot's JSON; check "
                "`api_url` and whether a proxy or a login page is in between"
            )
            if self._limiter.successes:
                raise RefusedError(sentence, HTTPStatus.OK)
            raise UnreadableError(sentence)
        self._back_off(attempts, Retry("an unreadable answer", status=HTTPStatus.OK))

    def _back_off(self, attempts: _Attempts, decision: Retry) -> None:
        attempts.failures += 1
        retries = self._max_retries
        if not decision.status and not self._limiter.successes:
            retries = min(retries, FIRST_CONTACT_RETRIES)
        if attempts.failures > retries:
            self._give_up(attempts.failures, decision)
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (attempts.failures - 1))
        # Half of it random, so that threads that failed together do not retry together.
        wait = max(decision.wait, backoff * random.uniform(0.5, 1.0))  # noqa: S311
        if decision.wait:
            self._announce(wait, decision.reason)
        if self._stop.wait(wait):
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
