"""``/api/2/export``: every event of some hours of upload, as a zip of gzipped lines of JSON."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from sandbox.amplitude.project import Project

HOUR = 3600
MOST_DAYS = 365
LINES_PER_FILE = 50_000


def routes(project: Project) -> list[Route]:
    """The route of the export."""

    async def export(request: Request) -> Response:
        if not project.admits(request.headers.get("authorization", "")):
            return Response("Forbidden", 403)
        start, end = (hour(request.query_params.get(name, "")) for name in ("start", "end"))
        if start is None or end is None or end < start:
            return Response("Invalid start or end", 400)
        if end - start > timedelta(days=MOST_DAYS):
            return Response("The range is longer than 365 days", 400)
        # An hour can be exported some hours after its end.
        last = project.now() - project.behaviour.export_delay_hours * HOUR
        until = min(end.timestamp() + HOUR, last - last % HOUR)
        return answer(project, start.timestamp(), until)

    return [Route("/api/2/export", export)]


def answer(project: Project, start: float, until: float) -> Response:
    """The zip of some time, its end excluded."""
    most = project.behaviour.export_most_events
    content = io.BytesIO()
    count = 0
    with zipfile.ZipFile(content, "w") as archive:
        lines = exported(project, start, until)
        while some := list(islice(lines, LINES_PER_FILE)):
            count += len(some)
            packed = gzip.compress(b"\n".join([*some, b""]), 1)
            archive.writestr(f"1/part_{count}.json.gz", packed)
    if count == 0:
        return Response("Not Found", 404)
    if most and count > most:
        return Response("Too large", 400)
    return Response(content.getvalue(), media_type="application/zip")


def exported(project: Project, start: float, until: float) -> Iterator[bytes]:
    """Every event that was uploaded in some time, as a line."""
    for at, event in project.payloads():
        if start <= at < until:
            yield msgspec.json.encode(as_exported(msgspec.json.decode(event), at))


def as_exported(event: dict[str, Any], at: float) -> dict[str, Any]:
    """An event as the export shows it."""
    time = text(event["time"] / 1000) if event.get("time") is not None else text(at)
    return {
        "$insert_id": event.get("insert_id"),
        "event_type": event["event_type"],
        "user_id": event.get("user_id"),
        "device_id": event.get("device_id"),
        "client_event_time": time,
        "event_time": time,
        "server_upload_time": text(at),
        "event_properties": event.get("event_properties", {}),
        "user_properties": event.get("user_properties", {}),
        "groups": event.get("groups", {}),
        "city": event.get("city"),
        "library": event.get("library"),
    }


def text(seconds: float) -> str:
    """A time as Amplitude writes it: UTC without saying so, to the microsecond."""
    moment = datetime.fromtimestamp(round(seconds * 1000) / 1000, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def hour(given: str) -> datetime | None:
    """An hour as ``YYYYMMDDTHH``, None if it has another form."""
    try:
        return datetime.strptime(given, "%Y%m%dT%H").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
