"""What every request to a service passes first: the log, the latency, the faults."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox import wire
from sandbox.faults import plain

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.faults import Fault
    from sandbox.world import World

PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
)


@dataclass
class Log:
    """The requests to one service in the order of their ends, and how many there were at once."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def stats(self) -> dict[str, Any]:
        """Counts of the requests."""
        return {
            "requests": len(self.requests),
            "by_status": Counter(str(entry["status"]) for entry in self.requests),
            "by_path": Counter(entry["path"] for entry in self.requests),
            "most_in_flight": self.most_in_flight,
        }


class Gate:
    """The application of one service behind its log, latency and faults."""

    def __init__(self, world: World, service: str, app: ASGIApp) -> None:
        self.world = world
        self.service = service
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self.app(scope, receive, send)
            return
        log = self.world.logs[self.service]
        entry: dict[str, Any] = {
            "path": scope["path"],
            "params": dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            "status": 0,
            "at": time.time(),
        }
        log.in_flight += 1
        log.most_in_flight = max(log.most_in_flight, log.in_flight)
        try:
            body = await Request(scope, receive).body()
            await self._serve(entry, body, scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            log.in_flight -= 1
            log.requests.append(entry)

    async def _serve(
        self, entry: dict[str, Any], body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        world, service = self.world, self.service
        again = wire.replayed(body, receive)
        date = formatdate(world.services[service].now(), usegmt=True).encode()
        is_dated = service != "hubspot" or world.hubspot.behaviour.date
        dates = [(b"date", date)] if is_dated else []

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
                message["headers"] = [*message["headers"], *dates]
            await send(message)

        if world.latency[service]:
            await asyncio.sleep(world.latency[service])
        fault = None
        if world.faults.any:
            text = plain(body, Headers(scope=scope).get("content-encoding"))
            fault = world.faults.pick(service, scope["path"], entry["params"], text)
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        if fault is None or fault.action == "delay":
            await self.app(scope, again, noting)
            return
        own = Response()
        if fault.action not in {"answer", "html", "cut"}:
            own = await wire.held_back(self.app, scope, again)
        if fault.action in {"cut", "accept_then_cut"}:
            await wire.cut(receive, send)
        elif fault.action == "half_body":
            await wire.send_half(own, wire.transport_of(send), receive, noting)
        else:
            await spoken(fault, own)(scope, receive, noting)


def spoken(fault: Fault, own: Response) -> Response:
    """What a fault answers, given what the service itself does."""
    if fault.action == "html":
        return HTMLResponse(PAGE, 200, fault.headers)
    if fault.action == "ingest_fewer":
        content = msgspec.json.decode(own.body)
        if "events_ingested" in content:
            content["events_ingested"] -= fault.fewer
        return JSONResponse(content, own.status_code)
    if fault.json is not None:
        return JSONResponse(fault.json, fault.status, fault.headers)
    return Response(fault.body, fault.status, fault.headers)
