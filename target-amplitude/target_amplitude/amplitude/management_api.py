"""Send requests to Amplitude's management APIs, which need the secret key of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_amplitude import LIBRARY
from target_amplitude.amplitude.answers import read_object
from target_amplitude.amplitude.http import LONGEST_WAIT, Retries, reason_or_raise
from target_amplitude.common.http import is_loopback, retry_after
from target_amplitude.common.session import Session, UnansweredError
from target_amplitude.common.text import fit
from target_amplitude.settings import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.amplitude.delays import Delays
    from target_amplitude.settings import Settings

UNAUTHORIZED = 401

REQUEST_SECONDS = 60.0

MOST_BYTES = 4_000_000
"""The most bytes of an answer: a plan has some 600 for each of up to 2,000 event types."""

_NO_ANSWER = 0
_TRANSIENT = frozenset((_NO_ANSWER, 408, 425, 429))


class Reply(msgspec.Struct, frozen=True):
    """A final answer.

    Attributes:
        status: Its HTTP status.
        message: Amplitude's own words.
        requests: Number of requests it took.
        retry_after: Seconds to wait, where the answer says.
        content: The object that it holds.
    """

    status: int
    message: str = ""
    requests: int = 1
    retry_after: float | None = None
    content: dict[str, Any] = {}

    @property
    def is_success(self) -> bool:
        """Whether Amplitude did what was asked."""
        return _is_success(self.status) and self.content.get("success") is not False


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

    def send(
        self, method: str, path: str, *, seconds: float = REQUEST_SECONDS, **content: Any
    ) -> Reply | None:
        """Send a request with content as `requests` takes it; None if interrupted.

        429, 5xx and what is no whole answer of Amplitude within `seconds` are retried up to
        `max_retries`.

        Raises:
            RunFailedError: If the last retry fails too, or proxy or certificates of this machine
                let no request through.
        """
        retries = Retries(self._base + path, self._max_retries, self._delays, self._is_interrupted)
        while True:
            reply = self._send_once(method, path, seconds, content)
            if reply.status not in _TRANSIENT and reply.status < 500:  # noqa: PLR2004
                return msgspec.structs.replace(reply, requests=retries.failures + 1)
            reason = f"status {reply.status}" if reply.status else reply.message
            if not retries.wait(reason, reply.retry_after):
                return None

    def _send_once(self, method: str, path: str, seconds: float, content: dict[str, Any]) -> Reply:
        try:
            answer = self._session.fetch(
                method,
                self._base + path,
                seconds=seconds,
                most_bytes=MOST_BYTES,
                auth=self._keys,
                **content,
            )
        except UnansweredError as error:
            return Reply(_NO_ANSWER, reason_or_raise(error))
        held = read_object(answer.body)
        if held is None and _is_success(answer.status):
            return Reply(_NO_ANSWER, "an answer of another form")
        return Reply(
            answer.status,
            self._message(held or {}),
            retry_after=retry_after(answer.headers, LONGEST_WAIT),
            content=held or {},
        )

    def _message(self, content: dict[str, Any]) -> str:
        message = find_message(content)
        for key in self._keys:
            message = message.replace(key, "<key>") if key else message
        return fit(message)


def _is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004


def find_message(content: dict[str, Any]) -> str:
    """Find what an answer says went wrong: `errors[0].message`, `error` or `message`."""
    errors = content.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        content = errors[0] | {"error": errors[0].get("message")}
    for name in ("error", "message"):
        message = content.get(name)
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
