"""``/api/3/lookup_table``: tables that give names to bare ids."""

from __future__ import annotations

import csv
import io
from email import message_from_bytes
from email.policy import HTTP
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from sandbox.amplitude.answers import Refusal, json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.amplitude.project import Project

MOST_BYTES = 100_000_000
MOST_ROWS = 1_000_000


class Property(msgspec.Struct):
    """The property whose values the key column holds."""

    value: str
    type: str
    group_type: str | None = msgspec.field(default=None, name="groupType")


def routes(project: Project) -> list[Route]:
    """The route of the lookup tables."""

    async def upload(request: Request) -> Response:
        if not project.admits(request.headers.get("authorization", "")):
            raise Refusal(401, "Unauthorized")
        parts = read_parts(request.headers.get("content-type", ""), await request.body())
        table = read_table(parts)
        project.lookup_tables[table["name"]] = table
        return json_response({"code": 200, "name": table["name"], "rows": len(table["rows"])})

    return [Route("/api/3/lookup_table", upload, methods=["POST"])]


def read_parts(content_type: str, body: bytes) -> dict[str, str]:
    """The parts of a multipart form by name."""
    if not content_type.lower().startswith("multipart/form-data"):
        raise Refusal(400, "The body must be multipart/form-data")
    if len(body) > MOST_BYTES:
        raise Refusal(413, "Payload too large")
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + body, policy=HTTP)
    parts = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        if isinstance(content, bytes) and isinstance(name, str):
            parts[name] = content.decode()
    return parts


def read_table(parts: dict[str, str]) -> dict[str, Any]:
    """A table from its form.

    Raises:
        Refusal: 400, a part is missing, or the key column is, or holds a value twice.
    """
    missing = sorted({"name", "file", "key", "property"} - set(parts))
    if missing:
        raise Refusal(400, f"Missing {', '.join(missing)}")
    try:
        described = msgspec.json.decode(parts["property"], type=Property)
    except msgspec.DecodeError as error:
        raise Refusal(400, f"The property is not right: {error}") from None
    if described.type not in {"event", "user"}:
        raise Refusal(400, "The property's type must be event or user")
    reader = csv.DictReader(io.StringIO(parts["file"], newline=""))
    rows = list(reader)
    if parts["key"] not in (reader.fieldnames or ()):
        raise Refusal(400, f"The file has no column {parts['key']}")
    if len(rows) > MOST_ROWS or len({row[parts["key"]] for row in rows}) < len(rows):
        raise Refusal(400, "The key column must be unique, and the rows a million at most")
    return {
        "name": parts["name"],
        "key": parts["key"],
        "property": msgspec.to_builtins(described),
        "rows": rows,
    }
