"""``/batch`` and ``/2/httpapi``: the checks of a request, in Amplitude's words."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from sandbox.amplitude.validation import LENGTH, examine

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.amplitude.project import Project

MOST_EVENTS = 2000
DEFAULT_MIN_ID_LENGTH = 5


class Endpoint(NamedTuple):
    """One of the two ways in: bytes a request, events a second for each id."""

    path: str
    most_bytes: int
    eps_threshold: int


ENDPOINTS = (Endpoint("/batch", 20_000_000, 1000), Endpoint("/2/httpapi", 1_000_000, 30))


class Refusal(Exception):  # noqa: N818  (an answer to give, not a failure of the sandbox)
    """An answer other than 200, with its body."""

    def __init__(self, code: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body = {"code": code, "error": error, **more}


def json_response(body: dict[str, Any], status: int | None = None) -> Response:
    """A body as Amplitude sends it, with the status it names."""
    return Response(
        msgspec.json.encode(body), status or body["code"], media_type="application/json"
    )


def routes(project: Project) -> list[Route]:
    """The routes of both endpoints."""

    def route(endpoint: Endpoint) -> Route:
        async def upload(request: Request) -> Response:
            facts = request.scope.setdefault("sandbox.facts", {})
            try:
                body = unpacked(await request.body(), request.headers, endpoint)
                return json_response(receive(project, endpoint, body, facts))
            except Refusal as refusal:
                return json_response(refusal.body)

        return Route(endpoint.path, upload, methods=["POST"])

    return [route(endpoint) for endpoint in ENDPOINTS]


def unpacked(body: bytes, headers: Any, endpoint: Endpoint) -> bytes:
    """The JSON of a request, which must call itself JSON and not be too large."""
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refusal(400, "Invalid JSON request body")
    if not body:
        raise Refusal(400, "Missing request body")
    if headers.get("content-encoding", "identity") == "gzip":
        unpacker = zlib.decompressobj(wbits=31)
        try:
            body = unpacker.decompress(body, endpoint.most_bytes + 1)
        except zlib.error:
            raise Refusal(400, "Invalid JSON request body") from None
        if not unpacker.eof and len(body) <= endpoint.most_bytes:
            raise Refusal(400, "Invalid JSON request body")
    if len(body) > endpoint.most_bytes:
        raise Refusal(413, "Payload too large")
    return body


def receive(
    project: Project, endpoint: Endpoint, body: bytes, facts: dict[str, Any]
) -> dict[str, Any]:
    """Check a request and take its events in; returns the body of the 200.

    Raises:
        Refusal: Something is wrong with it; nothing was taken in.
    """
    behaviour = project.behaviour
    project.bytes += len(body)
    if any(text.encode() in body for text in behaviour.forbidden):
        raise Refusal(403, "Forbidden")
    events, min_id_length = opened(body, behaviour.api_key)
    facts["events"] = len(events)
    if len(events) > MOST_EVENTS:
        raise Refusal(413, "Payload too large")
    findings = examine(events, min_id_length)
    if behaviour.short_ids == "drop":
        short = findings.maps.pop(LENGTH, {})
        dropped = {index for indexes in short.values() for index in indexes}
    else:
        dropped = set()
    if findings.maps:
        raise refused(findings.body(behaviour.index_style))
    silenced = [
        index
        for index, event in enumerate(events)
        if behaviour.silenced_devices and event.get("device_id") in behaviour.silenced_devices
    ]
    if silenced:
        devices = sorted({events[index]["device_id"] for index in silenced})
        raise Refusal(
            400,
            "Events silenced for device_id",
            eps_threshold=100,
            exceeded_daily_quota_devices={},
            silenced_devices=devices,
            silenced_events=silenced,
            throttled_devices={},
            throttled_events=[],
        )
    most = behaviour.eps_threshold
    slow = project.rates.refusal(
        events, endpoint.eps_threshold if most is None else most, project.now()
    )
    if slow is not None:
        raise refused(slow)
    if dropped:
        events = [event for index, event in enumerate(events) if index not in dropped]
        body = msgspec.json.encode({"events": events})
    facts["duplicates"] = project.ingest(body, events)
    return {
        "code": 200,
        "events_ingested": len(events),
        "payload_size_bytes": len(body),
        "server_upload_time": int(project.now() * 1000),
    }


def refused(body: dict[str, Any]) -> Refusal:
    """A refusal with a body that is already complete."""
    return Refusal(**body)


def opened(body: bytes, api_key: str) -> tuple[list[Any], int]:
    """The events of a request and its least length of ids."""
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "Invalid JSON request body") from None
    if type(request) is not dict:
        raise Refusal(400, "Invalid JSON request body")
    key = request.get("api_key")
    if not key:
        raise Refusal(400, "Request missing required field", missing_field="api_key")
    if key != api_key:
        raise Refusal(400, f"Invalid API key: {key}")
    events = request.get("events")
    if not events:
        raise Refusal(400, "Request missing required field", missing_field="events")
    options = request.get("options") or {}
    if type(events) is not list or type(options) is not dict:
        raise Refusal(400, "Invalid JSON request body")
    length = options.get("min_id_length")
    return events, DEFAULT_MIN_ID_LENGTH if type(length) is not int else length
