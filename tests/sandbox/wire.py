"""Requests and answers in ways that the web framework has not: read again, held back, cut, half.

Only here is the server's own transport touched; everything else speaks ASGI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

FORM = "application/x-www-form-urlencoded"


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


async def send_half(response: Response, transport: Any, receive: Receive, send: Send) -> None:
    """Promise the whole body, send half of it and close the connection."""
    headers = response.raw_headers
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    half = response.body[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    transport.close()
    await gone(receive)


async def held_back(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """The answer of an application, which is not sent yet."""
    messages: list[Any] = []

    async def take(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, take)
    start, *rest = messages
    response = Response(b"".join(each.get("body", b"") for each in rest), start["status"])
    response.raw_headers = start["headers"]
    return response


def replayed(body: bytes, receive: Receive) -> Receive:
    """A receive function that gives a body again which was read before."""
    waiting = [body]

    async def again() -> Any:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a form, None where the body does not call itself one."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
        return None
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
