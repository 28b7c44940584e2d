"""One HTTP exchange, and the reason when there is no answer."""

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
    """A complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UnansweredError(Exception):
    """No complete answer came; the text says why, without the address."""


class CertificateError(Exception):
    """The host's certificate could not be verified."""


class Transport:
    """Sends requests over a pool of open connections; safe to share by threads."""

    def __init__(self, connections: int, user_agent: str) -> None:
        """Allow at most `connections` requests in flight; further ones wait."""
        self._free = threading.Semaphore(connections)
        self._environments: dict[str, Mapping[str, Any]] = {}
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
        """Send one request, its data a form or JSON as bytes, and receive the complete answer.

        Redirects are not followed, since they could carry the token to another host.

        Raises:
            UnansweredError: The connection failed, timed out or ended before the answer did.
            CertificateError: The host's certificate could not be verified.
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
                    **self._environment(url),
                ) as response,
            ):
                # In one piece: requests itself reads 10 KB at a time, and a page has a megabyte.
                body = response.raw.read(decode_content=True)
                return Answer(response.status_code, response.headers, body)
        except requests.exceptions.SSLError as error:
            raise CertificateError from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnansweredError(_reason(error)) from None

    def _environment(self, url: str) -> Mapping[str, Any]:
        """Proxies and certificates from the environment, looked up once per host."""
        host = urlsplit(url).netloc
        if host not in self._environments:
            self._environments[host] = self._session.merge_environment_settings(
                url, proxies={}, stream=True, verify=None, cert=None
            )
        return self._environments[host]

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

    # Passed as `auth` even without a token, or requests would read ~/.netrc.
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
    # Last, because urllib3 reports every failure to connect as a time-out too.
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
    """The error and all its causes, which requests and urllib3 keep in three places."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
            waiting += current.args
    return found
