"""Answers that no web framework gives: cut off, or half.

Only here is the server's own transport touched; everything else speaks ASGI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send


def transport_of(send: Send) -> Any:
    """The connection behind an ASGI send function of uvicorn, which is a bound method."""
    return send.__self__.transport  # type: ignore[attr-defined]


async def gone(receive: Receive) -> None:
    """Wait until the server knows that the connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def cut(receive: Receive, send: Send) -> None:
    """Close the connection without an answer."""
    transport_of(send).abort()
    await gone(receive)


class Answer:
    """An answer that is held back: its start and its whole body."""

    def __init__(self, date: bytes) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.date = date

    def tell(self, response: Response) -> None:
        """Take a response."""
        self.status = response.status_code
        self.headers = response.raw_headers
        self.body = bytes(response.body)

    async def take(self, message: Any) -> None:
        """Stand in for the connection's send function."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    async def _start(self, send: Send) -> None:
        headers = [*self.headers, (b"date", self.date)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})

    async def send_half(self, receive: Receive, send: Send) -> None:
        """Promise the whole body, send half of it and close."""
        await self._start(send)
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport_of(send).close()
        await gone(receive)

    async def send(self, send: Send) -> None:
        """Send it as it is."""
        await self._start(send)
        await send({"type": "http.response.body", "body": self.body})


async def read_body(receive: Receive) -> bytes | None:
    """All of a request's body, None where the client went away before its end."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A receive function that gives a body again which was read before."""
    waiting = [body]

    async def again() -> Any:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


def header(scope: Scope, name: bytes) -> str:
    """A request header's value, empty where it was not sent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
