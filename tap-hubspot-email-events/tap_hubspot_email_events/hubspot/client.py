"""One question to HubSpot, asked until there is an answer or no hope for one."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from tap_hubspot_email_events.errors import (
    AccountError,
    DailyLimitError,
    NotFoundError,
    StoppedError,
    StreamError,
)
from tap_hubspot_email_events.hubspot.answers import (
    Accept,
    DayIsOver,
    Reauthorise,
    Refuse,
    Retry,
    Throttle,
    decide,
)
from tap_hubspot_email_events.hubspot.transport import Answer, UnansweredError, UntrustedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_hubspot_email_events.hubspot.answers import Decision
    from tap_hubspot_email_events.hubspot.auth import Authenticator
    from tap_hubspot_email_events.hubspot.limiter import Limiter
    from tap_hubspot_email_events.hubspot.transport import Transport

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
# Before anything has been answered, a wrong host is likelier than a passing trouble.
FIRST_CONTACT_RETRIES = 2
UNREADABLE_RETRIES = 2

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """What reading one stream has taken so far."""

    requests: int = 0
    retried: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, *, retried: bool) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.retried += retried


@dataclass(frozen=True, slots=True)
class _Question:
    """A request that may be sent any number of times."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    body: bytes | None = None
    scope: str = "content"


@dataclass(slots=True)
class _Trouble:
    """What has gone wrong with one question so far."""

    successes: int
    failures: int = 0
    unreadable: int = 0
    renewed: bool = False
    met: bool = False


class HubSpotClient:
    """Asks HubSpot, within its limits and patiently."""

    def __init__(  # noqa: PLR0913 - each is another collaborator
        self,
        transport: Transport,
        authenticator: Authenticator,
        limiter: Limiter,
        stop: threading.Event,
        *,
        api_url: str,
        max_retries: int,
    ) -> None:
        """Ask at `api_url`, and again up to `max_retries` times; `stop` ends all waiting."""
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
        tally: Tally,
    ) -> T:
        """Ask for `path` and decode the answer; raises what `post` raises."""
        return self._ask(_Question("GET", path, params=params), decode, tally)

    def post(
        self,
        path: str,
        content: Any,
        decode: Callable[[bytes], T],
        tally: Tally,
        *,
        scope: str,
    ) -> T:
        """Put a question to `path` that needs `scope` and changes nothing, so may be repeated.

        Raises:
            AccountError: No request of this account will succeed.
            StreamError: This question has no answer.
            NotFoundError: HubSpot does not know what was asked for.
            DailyLimitError: No requests are left for today.
            StoppedError: The run ended first.
        """
        body = msgspec.json.encode(content)
        return self._ask(_Question("POST", path, body=body, scope=scope), decode, tally)

    def _ask(self, question: _Question, decode: Callable[[bytes], T], tally: Tally) -> T:
        trouble = _Trouble(self._limiter.successes)
        while True:
            self._limiter.acquire(self._stop)
            token = self._authenticator.token()
            tally.count(retried=trouble.met)
            trouble.met = True
            outcome = self._send(question, token)
            if isinstance(outcome, Answer):
                try:
                    result = decode(outcome.body)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    self._unreadable(trouble)
                    continue
                self._limiter.learn(outcome.headers)
                return result
            self._react(outcome, trouble, token)

    def _send(self, question: _Question, token: str) -> Answer | Decision:
        try:
            answer = self._transport.send(
                question.method,
                self._api_url + question.path,
                params=question.params,
                data=question.body,
                token=token,
            )
        except UntrustedError:
            raise AccountError(
                "The certificate of HubSpot's host could not be verified; check `api_url` and any "
                "proxy in between."
            ) from None
        except UnansweredError as error:
            return Retry(str(error), lost=True)
        decision = decide(answer.status, answer.headers, answer.body, scope=question.scope)
        return answer if isinstance(decision, Accept) else decision

    def _react(self, decision: Decision, trouble: _Trouble, token: str) -> None:
        match decision:
            case Retry():
                self._back_off(trouble, decision)
            case Throttle(policy=policy, wait=wait):
                self._limiter.throttled(policy, wait)
                self._count_throttled(trouble, policy)
            case Reauthorise():
                if trouble.renewed or not self._authenticator.renew(token):
                    raise AccountError(
                        f"HubSpot refused the token (HTTP 401); {self._authenticator.advice}."
                    )
                trouble.renewed = True
            case Refuse(sentence=sentence, missing=missing):
                raise (NotFoundError if missing else StreamError)(sentence)
            case DayIsOver():
                raise DailyLimitError

    def _count_throttled(self, trouble: _Trouble, policy: str) -> None:
        # While others get through, the limit works and waiting is all there is to do.
        if self._limiter.successes > trouble.successes:
            trouble.successes, trouble.failures = self._limiter.successes, 0
        trouble.failures += 1
        if trouble.failures > self._max_retries:
            raise StreamError(
                f"HubSpot kept answering that its {policy} limit is used up; lower "
                "`requests_per_10_seconds`, or run again when other apps ask less"
            )

    def _unreadable(self, trouble: _Trouble) -> None:
        trouble.unreadable += 1
        if trouble.unreadable > min(UNREADABLE_RETRIES, self._max_retries):
            kind = StreamError if self._limiter.successes else AccountError
            raise kind(
                f"{self._api_url} answered with something other than HubSpot's JSON; check "
                "`api_url` and whether a proxy or a login page is in between"
            )
        self._back_off(trouble, Retry("an unreadable answer"))

    def _back_off(self, trouble: _Trouble, decision: Retry) -> None:
        trouble.failures += 1
        patience = self._max_retries
        if decision.lost and not self._limiter.successes:
            patience = min(patience, FIRST_CONTACT_RETRIES)
        if trouble.failures > patience:
            self._give_up(trouble.failures, decision)
        backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (trouble.failures - 1))
        # Half fixed, half random, so that threads that failed together do not return together.
        wait = max(decision.wait, backoff * random.uniform(0.5, 1.0))  # noqa: S311
        if self._stop.wait(wait):
            raise StoppedError

    def _give_up(self, attempts: int, decision: Retry) -> NoReturn:
        times = "once" if attempts == 1 else f"{attempts} times in a row"
        if decision.lost:
            raise AccountError(
                f"HubSpot could not be reached at {self._api_url}, tried {times} "
                f"({decision.reason}); check the network and `api_url`, then run again"
            )
        raise StreamError(
            f"HubSpot failed {times} ({decision.reason}); run again later, or raise `max_retries`"
        )
