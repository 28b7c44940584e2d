"""``/batch`` and ``/2/httpapi``: the checks of a request, in Amplitude's words."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.routing import Route

from sandbox.amplitude.answers import Refusal, json_response
from sandbox.amplitude.events import Upload, are_valid, read_upload
from sandbox.amplitude.validation import examine

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.amplitude.events import Event
    from sandbox.amplitude.project import Behaviour, Project
    from sandbox.amplitude.validation import Findings

MOST_EVENTS = 2000
DEFAULT_MIN_ID_LENGTH = 5


class Endpoint(NamedTuple):
    """One of the two ways in: bytes a request, events a second for each id."""

    path: str
    most_bytes: int
    eps_threshold: int


ENDPOINTS = (Endpoint("/batch", 20_000_000, 1000), Endpoint("/2/httpapi", 1_000_000, 30))


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
    upload, min_id_length = opened(body, behaviour)
    facts["events"] = len(upload.events or ())
    if facts["events"] > MOST_EVENTS:
        raise Refusal(413, "Payload too large")
    events = valid_events(upload, min_id_length)
    if events is None:
        raise refused(found_wrong(body, min_id_length).body(behaviour.index_style))
    refuse_silenced(events, set(behaviour.silenced_devices))
    slow = project.rates.refusal(events, endpoint.eps_threshold, project.now())
    if slow is not None:
        raise refused(slow)
    facts["duplicates"] = project.ingest(body, events)
    return {
        "code": 200,
        "events_ingested": len(events),
        "payload_size_bytes": len(body),
        "server_upload_time": int(project.now() * 1000),
    }


def refuse_silenced(events: list[Event], devices: set[str]) -> None:
    """Refuse a request with events of silenced devices."""
    silenced = [i for i, event in enumerate(events) if event.device_id in devices]
    if silenced:
        raise Refusal(
            400,
            "Events silenced for device_id",
            eps_threshold=100,
            exceeded_daily_quota_devices={},
            silenced_devices=sorted({str(events[index].device_id) for index in silenced}),
            silenced_events=silenced,
            throttled_devices={},
            throttled_events=[],
        )


def refused(body: dict[str, Any]) -> Refusal:
    """A refusal with a body that is already complete."""
    return Refusal(**body)


class Envelope(msgspec.Struct):
    """A request whose events are not looked into yet."""

    api_key: str | None = None
    events: list[msgspec.Raw] | None = None
    options: dict[str, Any] | None = None


def opened(body: bytes, behaviour: Behaviour) -> tuple[Upload | Envelope, int]:
    """A request with a good key and events, and its least length of ids.

    Raises:
        Refusal: It is not JSON, or lacks a good key or events.
    """
    try:
        if not body.isascii():
            body.decode()
        request = read_upload(body) or ENVELOPES.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "Invalid JSON request body") from None
    checks = [require_key, require_events]
    for check in checks if behaviour.key_checked == "first" else reversed(checks):
        check(request, behaviour)
    length = (request.options or {}).get("min_id_length")
    return request, length if isinstance(length, int) else DEFAULT_MIN_ID_LENGTH


def require_key(request: Upload | Envelope, behaviour: Behaviour) -> None:
    """Refuse a request without the project's key."""
    if not request.api_key:
        raise Refusal(400, "Request missing required field", missing_field="api_key")
    if request.api_key != behaviour.api_key:
        raise Refusal(400, f"Invalid API key: {request.api_key}")


def require_events(request: Upload | Envelope, _: Behaviour) -> None:
    """Refuse a request without events."""
    if not request.events:
        raise Refusal(400, "Request missing required field", missing_field="events")


def valid_events(request: Upload | Envelope | None, min_id_length: int) -> list[Event] | None:
    """The events of a request where every one of them is right, else None."""
    if not isinstance(request, Upload) or not request.events:
        return None
    return request.events if are_valid(request.events, min_id_length) else None


def found_wrong(body: bytes, min_id_length: int) -> Findings:
    """What is wrong with the events of a body.

    Raises:
        Refusal: 400, it is no JSON after all, or nothing can be named.
    """
    try:
        findings = examine(msgspec.json.decode(body)["events"], min_id_length)
    except msgspec.DecodeError:
        raise Refusal(400, "Invalid JSON request body") from None
    if not findings.maps:
        raise Refusal(400, "Invalid event JSON")
    return findings


ENVELOPES = msgspec.json.Decoder(Envelope)
