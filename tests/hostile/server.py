"""A server over real sockets that keeps to no protocol; what it does is data.

A script is a tuple of steps, and a server has one for each beginning of a path, the longest that
fits; a list of scripts is used up from request to request, but for the last. So a case is:

    Server(HUBSPOT | {"/email": (HEAD, b"Content-Length: 9" * 1000, Repeat(b"x", every=0.1))})
"""

from __future__ import annotations

import gzip
import json
import socket
import socketserver
import ssl
import struct
import threading
from dataclasses import dataclass
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

PIECE = 1_000_000
CONNECTED = "connected"
"""The path whose script is played to each connection before anything is read from it."""

HEAD = b"HTTP/1.1 200 OK\r\n"
JSON = HEAD + b"Content-Type: application/json\r\n"
END = b"\r\n"


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds in which nothing is sent."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same bytes, every so many seconds, so many times; until the client goes away if None."""

    data: bytes
    times: int | None = None
    every: float = 0.0


CLOSE = "close"
RESET = "reset"

Step = bytes | Wait | Repeat | str
Script = tuple[Step, ...]
Routes = dict[str, Script | list[Script]]


def answer(content: Any = b"", status: int = 200, **headers: Any) -> Script:
    """An answer as it should be, of bytes or of what becomes JSON; `Retry_After` names a header."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"Content-Length": len(body), "Content-Type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return (f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode("utf-8", "surrogateescape"), body)


@cache
def zipped(size: int, head: bytes = b"", filling: bytes = b" ") -> bytes:
    """A gzip of `head` and so many bytes that pack well, in members of a megabyte."""
    member = gzip.compress(filling * PIECE, 9)
    return gzip.compress(head) + member * (size // PIECE)


def bomb(size: int, status: int = 200, head: bytes = b"", filling: bytes = b" ") -> Script:
    """An answer of a few KB that becomes so many bytes."""
    return answer(zipped(size, head, filling), status, Content_Encoding="gzip")


HUBSPOT: Routes = {
    "/account-info": answer({"portalId": 4711}),
    "/email/public/v1/events": answer({"events": [], "hasMore": False}),
    "/email/public/v1/campaigns": answer({"campaigns": [], "hasMore": False}),
    "/crm/v3/objects/contacts": answer({"results": []}),
    "/oauth": answer({"access_token": "sandbox-access-token", "expires_in": 1800}),
}
"""A HubSpot of an account without events."""

AMPLITUDE: Routes = {
    "/batch": answer({"code": 200}),
    "/2/httpapi": answer({"code": 200}),
    "/api/2/export": answer(status=404),
    "/api/2/taxonomy": answer({"success": True, "data": []}),
    "/api/2/lookup_table": answer({"success": True, "data": []}),
}
"""An Amplitude that accepts every event and holds none."""


class Server:
    """The server, on a port of its own, until it is closed."""

    def __init__(
        self, routes: Mapping[str, Script | list[Script]], tls: Path | None = None
    ) -> None:
        """Serve; `tls` is a PEM file with certificate and key."""
        self.requests: list[str] = []
        self.connections = 0
        self._routes = {
            path: list(scripts) if isinstance(scripts, list) else [scripts]
            for path, scripts in routes.items()
        }
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._tls: ssl.SSLContext | None = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(tls)
        self._sockets = _Sockets(self)
        self._thread = threading.Thread(target=self._sockets.serve_forever, args=[0.01])
        self.port = self._sockets.server_address[1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._sockets.shutdown()
        self._sockets.server_close()
        self._thread.join()

    def serve(self, connection: socket.socket) -> None:
        """Play scripts to one client until one of them or the client ends the connection."""
        self.connections += 1
        connection.settimeout(10)
        try:
            if not self._play(connection, CONNECTED):
                return
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while path := self._request(stream):
                    if not self._play(connection, path):
                        return
        except OSError:
            # The client has had enough.
            return

    def _request(self, stream: IO[bytes]) -> str:
        """Read a request to its end, and return its path; empty where none comes."""
        first = stream.readline().decode("latin-1").split()
        length = 0
        while (line := stream.readline().strip()) and line:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        stream.read(length)
        if len(first) < 2:
            return ""
        self.requests.append(" ".join(first[:2]))
        return first[1]

    def _play(self, connection: socket.socket, path: str) -> bool:
        """Play the script of a path; false where it ends the connection."""
        for step in self._script(path):
            match step:
                case bytes():
                    connection.sendall(step)
                case Wait():
                    self._closed.wait(step.seconds)
                case Repeat():
                    self._repeat(connection, step)
                case "reset":
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    connection.close()
                    return False
                case _:
                    return False
        return True

    def _repeat(self, connection: socket.socket, step: Repeat) -> None:
        # Many at once, where there is no pause between them.
        data, times = step.data, step.times
        if not step.every and times is None:
            data *= max(1, 100_000 // len(data))
        while not self._closed.is_set() and times != 0:
            connection.sendall(data)
            times = None if times is None else times - 1
            if step.every:
                self._closed.wait(step.every)

    def _script(self, path: str) -> Script:
        with self._lock:
            if path == CONNECTED and path not in self._routes:
                return ()
            fitting = [each for each in self._routes if path.startswith(each)]
            if not fitting:
                return answer(b"{}", 404)
            scripts = self._routes[max(fitting, key=len)]
            return scripts.pop(0) if len(scripts) > 1 else scripts[0]


class _Sockets(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 100

    def __init__(self, script: Server) -> None:
        self._script = script
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    @override
    def finish_request(self, request: Any, client_address: Any) -> None:
        self._script.serve(request)
