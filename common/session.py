"""Requests over HTTP that end in time and whose answers fit into memory, whatever the peer does."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection

from .network import FAILURES, Obstacle, explain, proxies_and_certificates
from .threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
"""The longest time in which a peer sends nothing."""

ERROR_BYTES = 16_384
"""What is read of an answer that is no success: its first words say why."""

_TICK_SECONDS = 0.25
_PIECE_BYTES = 1_000_000
_PACKED_PIECE_BYTES = 200_000
"""Unpacked at once: a gzip of empty members takes time by the square of that."""

logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
"""It would log headers that it cannot parse, and a traceback."""


class UnansweredError(Exception):
    """No complete answer came; `obstacle` says why, `status` is that of one that is too large."""

    def __init__(self, obstacle: Obstacle, status: int = 0) -> None:
        super().__init__(obstacle.reason)
        self.obstacle = obstacle
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; of one that is no success, the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session(requests.Session):
    """Connections to servers; threads that share one send at most as many requests as it keeps.

    Nothing that an answer holds leads to another request: redirects are not followed, since they
    could carry secrets to another host, and cookies are not kept.
    """

    def __init__(self, user_agent: str, connections: int = 1) -> None:
        super().__init__()
        _start_watch()
        self.trust_env = False
        self.headers["User-Agent"] = user_agent
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._free = threading.Semaphore(connections)
        self._environments: dict[str, Mapping[str, Any]] = {}
        adapter = _WatchedAdapter(pool_connections=connections, pool_maxsize=connections)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def fetch(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        most_bytes: int,
        error_bytes: int = ERROR_BYTES,
        **content: Any,
    ) -> Answer:
        """Send a request and receive the whole answer; raises what `exchange` does."""
        with self.exchange(method, url, seconds=seconds, **content) as response:
            status = response.status_code
            is_success = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
            most = most_bytes if is_success else error_bytes
            received, size = [], 0
            for piece in pieces(response):
                received.append(piece)
                size += len(piece)
                if size > most:
                    break
        if is_success and size > most:
            obstacle = Obstacle(f"the answer has more than {most / 1e6:g} MB")
            raise UnansweredError(obstacle, status)
        return Answer(status, response.headers, b"".join(received)[:most])

    @contextmanager
    def exchange(
        self, method: str, url: str, *, seconds: float, idle: float = IDLE_SECONDS, **content: Any
    ) -> Iterator[requests.Response]:
        """Send a request with content as `requests` takes it, and read the answer in the context.

        Args:
            method: HTTP's method.
            url: The address.
            seconds: The time for everything, after which the connection is cut.
            idle: The longest time in which nothing may come.
            content: The request's content.

        Raises:
            UnansweredError: No complete answer came, or none in time.
        """
        with self._free:
            current = _Exchange(time.monotonic() + seconds, seconds)
            _exchanges[threading.get_ident()] = current
            try:
                with self.request(
                    method,
                    url,
                    timeout=(CONNECT_SECONDS, idle),
                    allow_redirects=False,
                    stream=True,
                    **self._environment(url),
                    **content,
                ) as response:
                    yield response
            except FAILURES as error:
                raise UnansweredError(current.obstacle or explain(error, url)) from None
            finally:
                del _exchanges[threading.get_ident()]
        if current.obstacle:
            # What ends with the connection looks complete.
            raise UnansweredError(current.obstacle)

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        # Otherwise a redirect's body would be read, without a limit, to prepare the next request.
        return None

    def _environment(self, url: str) -> Mapping[str, Any]:
        """Look up proxies and certificates, once per host."""
        host = urlsplit(url).netloc
        if host not in self._environments:
            self._environments[host] = proxies_and_certificates(url)
        return self._environments[host]


def pieces(response: requests.Response) -> Iterator[bytes]:
    """Yield the body of an answer, unpacked, in pieces of bounded size."""
    # What is not packed would be copied twice.
    is_packed = "Content-Encoding" in response.headers
    size = _PACKED_PIECE_BYTES if is_packed else _PIECE_BYTES
    while piece := response.raw.read(size, decode_content=is_packed):
        yield piece


@dataclass(slots=True)
class _Exchange:
    """A request that is under way in a thread."""

    until: float
    seconds: float
    connection: HTTPConnection | None = None
    socket: Any = None
    obstacle: Obstacle | None = None


_exchanges: dict[int, _Exchange] = {}
"""By the thread that waits for the answer."""


@cache
def _start_watch() -> None:
    start_thread(_watch)


def _watch() -> None:
    """Cut connections whose time is up.

    A socket's own timeout begins anew with every byte. A connection may be cut again, as one that
    was being made when its time was up has no socket yet.
    """
    while not threading.Event().wait(_TICK_SECONDS):
        now = time.monotonic()
        for each in _exchanges.copy().values():
            if each.until < now:
                connected = each.socket or getattr(each.connection, "sock", None)
                each.obstacle = Obstacle(f"no complete answer came within {each.seconds:g} s")
                # TLS within TLS is not a socket, but holds one.
                cut = getattr(connected, "socket", connected)
                with suppress(OSError):
                    if cut is not None:
                        # That of TLS would let the reader take what is encrypted for the answer.
                        socket.socket.shutdown(cut, socket.SHUT_RDWR)


class _FinalResponse(http.client.HTTPResponse):
    """An answer, without those that go before it.

    `http.client` skips 100 (Continue) only and would leave what comes after 103 (Early Hints) to
    the next request. A client has to expect them all (RFC 9110, 15.2), but for 101, the answer to
    an `Upgrade`.
    """

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise http.client.BadStatusLine("101")
        is_final = status >= HTTPStatus.OK
        return version, status if is_final else HTTPStatus.CONTINUE, reason


class _Watched(HTTPConnection):
    """A connection that is known to be the one on which a thread waits."""

    response_class = _FinalResponse

    @property
    @override
    def is_connected(self) -> bool:
        # What came unasked belongs to no request, also where TLS has decrypted it already.
        tls = getattr(self.sock, "sslobj", self.sock)
        return super().is_connected and not getattr(tls, "pending", int)()

    @override
    def connect(self) -> None:
        _exchanges[threading.get_ident()].connection = self
        super().connect()

    @override
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _exchanges[threading.get_ident()].connection = self
        super().putrequest(*args, **kwargs)

    @override
    def getresponse(self) -> Any:
        # A connection forgets its socket when the answer is to end with it.
        _exchanges[threading.get_ident()].socket = self.sock
        return super().getresponse()


@cache
def _watched(kind: type[HTTPConnection]) -> type[HTTPConnection]:
    return type(kind.__name__, (_Watched, kind), {})


class _WatchedAdapter(HTTPAdapter):
    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if not issubclass(pool.ConnectionCls, _Watched):
            pool.ConnectionCls = _watched(pool.ConnectionCls)
        return pool
