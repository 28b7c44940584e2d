"""Amplitude's management APIs, which want the project's secret key: requests, patience, words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import requests
import urllib3

from target_amplitude import LIBRARY
from target_amplitude.errors import RunFailedError
from target_amplitude.settings import PATHS, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.delays import Timing
    from target_amplitude.settings import Settings

UNKNOWN_KEYS = 401

_UNANSWERED = 0
_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_ANSWER_SECONDS = 60
_ANSWER_BYTES = 1_000_000
_LONGEST_WORDS = 200
_LONGEST_RETRY_AFTER = 300.0
_PASSING = frozenset((_UNANSWERED, 408, 425, 429))


class Reply(msgspec.Struct, frozen=True):
    """An answer that counts: its status, Amplitude's own words, and the requests it took."""

    status: int
    words: str = ""
    requests: int = 1
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether Amplitude did what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004


class ManagementApi:
    """Sends requests with both keys, and again where an answer is a passing one."""

    def __init__(
        self,
        settings: Settings,
        base: str,
        timing: Timing,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take the keys; `is_interrupted` ends the wait for another try."""
        self._keys = (settings.api_key, settings.secret_key or "")
        self._base = base
        self._max_retries = settings.max_retries
        self._timing = timing
        self._is_interrupted = is_interrupted
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(base)
        self._session.headers["User-Agent"] = LIBRARY

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(self, method: str, path: str, **content: Any) -> Reply | None:
        """Answer to a request, whose content is given as `requests` takes it.

        429, 5xx and lost connections are tried again up to `max_retries`; None if interrupted
        meanwhile.

        Raises:
            RunFailedError: If no answer counts in the end, or the server cannot be trusted.
        """
        failures = 0
        while True:
            reply = self._once(method, path, content)
            if reply.status not in _PASSING and reply.status < 500:  # noqa: PLR2004
                return msgspec.structs.replace(reply, requests=failures + 1)
            failures += 1
            if failures > self._max_retries:
                told = f"status {reply.status}" if reply.status else reply.words
                raise RunFailedError(
                    f"{self._base}{path} gave no answer that counts after {failures - 1} retries "
                    f"(last: {told}); run it again later.",
                )
            if not self._wait(reply.retry_after or self._timing.backoff(failures)):
                return None

    def _once(self, method: str, path: str, content: dict[str, Any]) -> Reply:
        try:
            with self._session.request(
                method,
                self._base + path,
                auth=self._keys,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                stream=True,
                **content,
            ) as response:
                body = _read(response)
        except requests.exceptions.SSLError:
            raise RunFailedError(
                f"{self._base} has a TLS certificate that cannot be trusted; check region, and "
                "whether a proxy stands between.",
            ) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            return Reply(_UNANSWERED, "no connection, or one that was cut")
        given = response.headers.get("Retry-After", "").strip()
        retry_after = min(float(given), _LONGEST_RETRY_AFTER) if given.isdecimal() else None
        return Reply(response.status_code, self._words(body), retry_after=retry_after)

    def _words(self, body: bytes) -> str:
        words = " ".join(find_words(body).split())
        for key in self._keys:
            words = words.replace(key, "<key>") if key else words
        return words[:_LONGEST_WORDS]

    def _wait(self, seconds: float) -> bool:
        """Wait in steps, since a signal handler can only leave word; False if it has."""
        until = time.monotonic() + seconds
        while not self._is_interrupted():
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(0.2, left))
        return False


def _read(response: requests.Response) -> bytes:
    until = time.monotonic() + _ANSWER_SECONDS
    body = b""
    for piece in response.iter_content(65_536):
        body += piece
        if len(body) > _ANSWER_BYTES or time.monotonic() > until:
            break
    return body


def find_words(body: bytes) -> str:
    """What an answer says went wrong: `errors[0].message`, `error` or `message`."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    errors = answer.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        answer = errors[0] | {"error": errors[0].get("message")}
    for name in ("error", "message"):
        words = answer.get(name)
        if isinstance(words, str):
            return words
    return ""


def host_of_region(settings: Settings, hosts: dict[str, str]) -> str:
    """Base URL of a management API: the region's, or this machine where `api_url` names it.

    Another host in `api_url` is a way to the upload endpoint only, and no place for a secret key.
    """
    if is_loopback(settings.url):
        return settings.url.removesuffix(PATHS[settings.endpoint])
    return hosts[settings.region]
