"""The local Amplitude as an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from sandbox.amplitude import export, ingestion, lookup_tables, taxonomy
from sandbox.amplitude.answers import json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from sandbox.amplitude.project import Project


async def unknown_path(_: Request, __: Exception) -> Response:
    """Amplitude's words for an address it does not know."""
    return json_response({"code": 404, "error": "Invalid request path"})


def application(project: Project, control: list[BaseRoute]) -> Starlette:
    """All routes of the local Amplitude, and the sandbox's own."""
    return Starlette(
        routes=[
            *control,
            *ingestion.routes(project),
            *taxonomy.routes(project),
            *lookup_tables.routes(project),
            *export.routes(project),
        ],
        exception_handlers={404: unknown_path},
    )
