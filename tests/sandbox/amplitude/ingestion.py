"""``/batch`` and ``/2/httpapi``: the checks of a request, in Amplitude's words."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.routing import Route

from sandbox.amplitude.answers import Refusal, json_response
from sandbox.amplitude.events import TYPES, Event, are_valid
from sandbox.amplitude.validation import examine

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.amplitude.project import Behaviour, Project

MOST_EVENTS = 2000
DEFAULT_MIN_ID_LENGTH = 5


class Envelope(msgspec.Struct):
    """A request whose events may be anything."""

    api_key: str | None = None
    events: list[Any] = []
    options: dict[str, object] | None = None


class Upload(Envelope):
    """A request all of whose events have values of the right types."""

    events: list[Event] = []


ENVELOPES = msgspec.json.Decoder(Envelope)
UPLOADS = msgspec.json.Decoder(Upload)


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
            body = unpacked(await request.body(), request.headers, endpoint)
            return json_response(receive(project, endpoint, body))

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


def receive(project: Project, endpoint: Endpoint, body: bytes) -> dict[str, Any]:
    """Check a request and take its events in; returns the body of the 200.

    Raises:
        Refusal: Something is wrong with it; nothing was taken in.
    """
    behaviour = project.behaviour
    if any(text.encode() in body for text in behaviour.forbidden):
        raise Refusal(403, "Forbidden")
    upload = opened(body)
    checks = [require_key, require_events]
    for check in checks if behaviour.key_checked == "first" else reversed(checks):
        check(upload, behaviour)
    events = valid_events(upload, body, behaviour.index_style)
    refuse_silenced(events, set(behaviour.silenced_devices))
    too_many = project.rates.refusal(events, endpoint.eps_threshold, project.now())
    if too_many is not None:
        raise Refusal(**too_many)
    project.ingest(body, events)
    return {
        "code": 200,
        "events_ingested": len(events),
        "payload_size_bytes": len(body),
        "server_upload_time": int(project.now() * 1000),
    }


def opened(body: bytes) -> Envelope:
    """A request, its events read where all of them have values of the right types.

    Raises:
        Refusal: It is not JSON of this form.
    """
    try:
        if not body.isascii():
            body.decode()
        try:
            return UPLOADS.decode(body)
        except msgspec.ValidationError:
            return ENVELOPES.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "Invalid JSON request body") from None


def require_key(request: Envelope, behaviour: Behaviour) -> None:
    """Refuse a request without the project's key."""
    if not request.api_key:
        raise Refusal(400, "Request missing required field", missing_field="api_key")
    if request.api_key != behaviour.api_key:
        raise Refusal(400, f"Invalid API key: {request.api_key}")


def require_events(request: Envelope, _: Behaviour) -> None:
    """Refuse a request without events, or with too many."""
    if not request.events:
        raise Refusal(400, "Request missing required field", missing_field="events")
    if len(request.events) > MOST_EVENTS:
        raise Refusal(413, "Payload too large")


def valid_events(request: Envelope, body: bytes, index_style: str) -> list[Event]:
    """The events of a request where every one of them is right.

    Raises:
        Refusal: 400, with what is wrong.
    """
    length = (request.options or {}).get("min_id_length")
    if not isinstance(length, int):
        length = DEFAULT_MIN_ID_LENGTH
    if isinstance(request, Upload) and are_valid(request.events, length):
        return request.events
    findings = examine(ENVELOPES.decode(body).events, TYPES, length)
    if not findings.maps:
        raise Refusal(400, "Invalid event JSON")
    raise Refusal(**findings.body(index_style))


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
