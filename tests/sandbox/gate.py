"""What every request to a service passes first: the log, the latency, the faults."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import Response

from sandbox import wire
from sandbox.faults import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.faults import Fault, Faults

MOST_LOGGED = 50_000
PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
)


class Log:
    """The latest requests to one service, and counts of all of them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.requests: deque[dict[str, Any]] = deque(maxlen=MOST_LOGGED)
        self.by_status: Counter[int] = Counter()
        self.by_path: Counter[str] = Counter()
        self.in_flight = self.most_in_flight = 0

    def begin(self) -> None:
        """Count a request as being worked on."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def end(self, entry: dict[str, Any]) -> None:
        """Remember a request with its status, 0 for none."""
        self.in_flight = max(0, self.in_flight - 1)
        self.requests.append(entry)
        self.by_status[entry["status"]] += 1
        self.by_path[entry["path"]] += 1

    def stats(self) -> dict[str, Any]:
        """The counts."""
        return {
            "requests": self.by_status.total(),
            "by_status": {str(status): n for status, n in sorted(self.by_status.items())},
            "by_path": dict(self.by_path),
            "most_in_flight": self.most_in_flight,
        }


class Gate:
    """The application of one service behind its log, latency and faults."""

    def __init__(  # noqa: PLR0913 - what a gate stands between
        self,
        service: str,
        app: ASGIApp,
        *,
        faults: Faults,
        latency: dict[str, float],
        log: Log,
        now: Callable[[], float],
        has_date: Callable[[], bool],
    ) -> None:
        self.has_date = has_date
        self.service = service
        self.app = app
        self.faults = faults
        self.latency = latency
        self.log = log
        self.now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self.app(scope, receive, send)
            return
        entry: dict[str, Any] = {
            "method": scope["method"],
            "path": scope["path"],
            "params": dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            "status": 0,
            "at": time.time(),
        }
        scope["sandbox.facts"] = entry
        self.log.begin()
        try:
            body = await wire.read_body(receive)
            if body is not None:
                entry["bytes"] = len(body)
                await self._serve(body, scope, receive, send)
        finally:
            self.log.end(entry)

    async def _serve(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        entry = scope["sandbox.facts"]
        again = wire.replayed(body, receive)
        date = formatdate(self.now(), usegmt=True).encode()
        dates = [(b"date", date)] if self.has_date() else []

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
                message["headers"] = [*message["headers"], *dates]
            await send(message)

        if self.latency[self.service]:
            await asyncio.sleep(self.latency[self.service])
        fault = None
        if self.faults.any:
            text = plain(body, wire.header(scope, b"content-encoding"))
            fault = self.faults.pick(self.service, scope["path"], entry["params"], text)
        if fault is None:
            await self.app(scope, again, noting)
            return
        entry["fault"] = fault.action
        await asyncio.sleep(fault.seconds)
        if fault.action == "delay":
            await self.app(scope, again, noting)
            return
        answer = wire.Answer(date)
        if fault.action not in {"answer", "html", "cut"}:
            await self.app(scope, again, answer.take)
        if fault.action in {"cut", "accept_then_cut"}:
            await wire.cut(receive, send)
            return
        entry["status"] = await self._misbehave(fault, answer, receive, send)

    async def _misbehave(
        self, fault: Fault, answer: wire.Answer, receive: Receive, send: Send
    ) -> int:
        if fault.action == "half_body":
            await answer.send_half(receive, send)
        elif fault.action == "ingest_fewer":
            content = msgspec.json.decode(answer.body)
            if "events_ingested" in content:
                content["events_ingested"] -= fault.fewer
            body = msgspec.json.encode(content)
            answer.tell(Response(body, answer.status, media_type="application/json"))
            await answer.send(send)
        else:
            answer.tell(spoken(fault))
            await answer.send(send)
        return answer.status


def spoken(fault: Fault) -> Response:
    """What a fault answers."""
    if fault.action == "html":
        status = 200 if fault.status == 500 else fault.status
        return Response(PAGE, status, fault.headers, media_type="text/html")
    if fault.body is not None:
        return Response(fault.body, fault.status, fault.headers, media_type="text/plain")
    if fault.json is None:
        return Response(b"", fault.status, fault.headers)
    return Response(
        msgspec.json.encode(fault.json),
        fault.status,
        fault.headers,
        media_type="application/json",
    )
