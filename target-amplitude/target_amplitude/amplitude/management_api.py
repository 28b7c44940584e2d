"""Send requests to Amplitude's management APIs, which need the secret key of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_amplitude import LIBRARY
from target_amplitude.amplitude.http import LONGEST_WAIT, Retries, reason_or_raise
from target_amplitude.common.http import is_loopback, retry_after
from target_amplitude.common.session import Session, UnansweredError
from target_amplitude.settings import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.settings import Settings

UNAUTHORIZED = 401

REQUEST_SECONDS = 300.0
"""The time for a request and its answer: a lookup table may have 100 MB."""

MOST_BYTES = 1_000_000

_NO_ANSWER = 0
_MAX_MESSAGE = 200
_TRANSIENT = frozenset((_NO_ANSWER, 408, 425, 429))


class Reply(msgspec.Struct, frozen=True):
    """A final answer.

    Attributes:
        status: Its HTTP status.
        message: Amplitude's own words.
        requests: Number of requests it took.
        retry_after: Seconds to wait, where the answer says.
        body: The answer as it came.
    """

    status: int
    message: str = ""
    requests: int = 1
    retry_after: float | None = None
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether Amplitude did what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004


class ManagementApi:
    """Sends requests with both keys, and retries those that fail for a passing reason."""

    def __init__(
        self,
        settings: Settings,
        base: str,
        delays: Delays,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare connections to the host of `base`; `is_interrupted` ends the wait for a retry."""
        self._keys = (settings.api_key, settings.secret_key or "")
        self._base = base
        self._max_retries = settings.max_retries
        self._delays = delays
        self._is_interrupted = is_interrupted
        self._session = Session(LIBRARY)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(self, method: str, path: str, **content: Any) -> Reply | None:
        """Send a request with content as `requests` takes it; None if interrupted.

        429, 5xx and lost connections are retried up to `max_retries`.

        Raises:
            RunFailedError: If the last retry fails too, or proxy or certificates of this machine
                let no request through.
        """
        retries = Retries(self._base + path, self._max_retries, self._delays, self._is_interrupted)
        while True:
            reply = self._send_once(method, path, content)
            if reply.status not in _TRANSIENT and reply.status < 500:  # noqa: PLR2004
                return msgspec.structs.replace(reply, requests=retries.failures + 1)
            reason = f"status {reply.status}" if reply.status else reply.message
            if not retries.wait(reason, reply.retry_after):
                return None

    def _send_once(self, method: str, path: str, content: dict[str, Any]) -> Reply:
        try:
            answer = self._session.fetch(
                method,
                self._base + path,
                seconds=REQUEST_SECONDS,
                most_bytes=MOST_BYTES,
                auth=self._keys,
                **content,
            )
        except UnansweredError as error:
            return Reply(_NO_ANSWER, reason_or_raise(error))
        return Reply(
            answer.status,
            self._message(answer.body),
            retry_after=retry_after(answer.headers, LONGEST_WAIT),
            body=answer.body,
        )

    def _message(self, body: bytes) -> str:
        message = " ".join(find_message(body).split())
        for key in self._keys:
            message = message.replace(key, "<key>") if key else message
        return message[:_MAX_MESSAGE]


def find_message(body: bytes) -> str:
    """Find what an answer says went wrong: `errors[0].message`, `error` or `message`."""
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
        message = answer.get(name)
        if isinstance(message, str):
            return message
    return ""


def host_of_region(settings: Settings, hosts: dict[str, str]) -> str:
    """Return the base URL of a management API: the region's, or `api_url` on this machine.

    Any other `api_url` leads to the upload endpoint only, so the secret key is not sent there.
    """
    if is_loopback(settings.url):
        return settings.url.removesuffix(PATHS[settings.endpoint])
    return hosts[settings.region]
