"""One HTTP exchange, with every way it can fall through told apart."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECT_SECONDS = 10
READ_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UnansweredError(Exception):
    """No whole answer came; the text says why, without the address asked."""


class UntrustedError(Exception):
    """The host's certificate could not be verified."""


class Transport:
    """Sends requests over a few connections that are kept open; safe to share by threads."""

    def __init__(self, connections: int, user_agent: str) -> None:
        """Have at most `connections` requests under way; further ones wait."""
        self._free = threading.Semaphore(connections)
        self._known_surroundings: dict[str, Mapping[str, Any]] = {}
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        adapter = requests.adapters.HTTPAdapter(
            pool_connections=connections, pool_maxsize=connections
        )
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | bytes | None = None,
        token: str | None = None,
    ) -> Answer:
        """Send one request, with a form or JSON as bytes, and receive the whole answer.

        Redirects are not followed: they would carry the token elsewhere.

        Raises:
            UnansweredError: The connection failed, timed out or ended before the answer did.
            UntrustedError: The host's certificate could not be verified.
        """
        request = requests.Request(method, url, params=params, data=data, auth=_bearer(token))
        if isinstance(data, bytes):
            request.headers = {"Content-Type": "application/json"}
        try:
            with (
                self._free,
                self._session.send(
                    self._session.prepare_request(request),
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                    **self._surroundings(url),
                ) as response,
            ):
                # In one piece: requests itself reads bodies by 10 KB, a page has a megabyte.
                body = response.raw.read(decode_content=True)
                return Answer(response.status_code, response.headers, body)
        except requests.exceptions.SSLError as error:
            raise UntrustedError from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnansweredError(_reason(error)) from None

    def _surroundings(self, url: str) -> Mapping[str, Any]:
        """The environment's proxies and certificates, looked up once for each host."""
        host = urlsplit(url).netloc
        if host not in self._known_surroundings:
            self._known_surroundings[host] = self._session.merge_environment_settings(
                url, proxies={}, stream=True, verify=None, cert=None
            )
        return self._known_surroundings[host]

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


def _bearer(
    token: str | None,
) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    # Given as `auth` even without a token, because requests would otherwise ask ~/.netrc.
    return sign


_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (socket.gaierror, urllib3.exceptions.NameResolutionError),
        "the host's name could not be resolved",
    ),
    ((ConnectionRefusedError,), "the connection was refused"),
    (
        (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError),
        "the proxy could not be reached",
    ),
    # After the others: urllib3 counts every connection that is not made as timed out.
    (
        (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError),
        "the time for an answer ran out",
    ),
)


def _reason(error: BaseException) -> str:
    causes = _causes(error)
    for kinds, reason in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return "the connection was cut"


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it wraps: requests and urllib3 keep causes in three different places."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
            waiting += current.args
    return found
