"""``/api/2/taxonomy``: the plan of categories, events and properties.

A user property is planned by its name, and read and changed by its name after ``gp:``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from sandbox.amplitude.answers import json_response
from sandbox.forms import read_form

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.amplitude.project import Project

# The name of what is planned, and the field of the form that carries it.
KINDS = {
    "category": "category_name",
    "event": "event_type",
    "event-property": "event_property",
    "user-property": "user_property",
}
Work = Callable[["Request", str], Awaitable["Response"]]


class Taxonomy:
    """What can be done to the plan."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def guarded(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint behind the keys and the plan's permission."""

        async def endpoint(request: Request) -> Response:
            kind = request.path_params["kind"]
            if not self.project.admits(request.headers.get("authorization", "")):
                return failure(401, "Unauthorized")
            if not self.project.behaviour.taxonomy:
                return failure(403, "The Taxonomy API is not part of this plan")
            if kind not in KINDS:
                return failure(404, "Not found")
            return await work(request, kind)

        return endpoint

    async def list(self, _: Request, kind: str) -> Response:
        """Everything of a kind."""
        return success(list(self.project.plan[kind].values()))

    async def create(self, request: Request, kind: str) -> Response:
        """Plan one more."""
        form = await read_form(request)
        name = (form or {}).get(KINDS[kind])
        if form is None or not name:
            return failure(400, f"The field {KINDS[kind]} is missing or the body is not a form")
        if kind == "event" and "display_name" in form:
            return failure(400, "The display name of an event can be set only by an update")
        entry = dict(form)
        if kind == "user-property":
            name = entry[KINDS[kind]] = f"gp:{name}"
        key = key_of(kind, name, form)
        if key in self.project.plan[kind]:
            if kind == "user-property" and self.project.behaviour.planned_again == "success_false":
                return json_response({"success": False}, 200)
            return failure(409, f"{name} already exists")
        self.project.plan[kind][key] = entry
        return success()

    async def update(self, request: Request, kind: str) -> Response:
        """Change one; an event's display name only once the event was ingested."""
        form = await read_form(request)
        name = request.path_params["name"]
        entry = self.project.plan[kind].get(key_of(kind, name, form or {}))
        if form is None or entry is None:
            return (
                failure(400, "The body is not a form")
                if form is None
                else failure(404, "Not found")
            )
        if kind == "event" and "display_name" in form and not self.project.counts[name]:
            return failure(409, "The display name can be updated once the event is ingested")
        entry |= form
        return success()


def routes(project: Project) -> list[Route]:
    """The routes of the taxonomy."""
    taxonomy = Taxonomy(project)
    base = "/api/2/taxonomy/{kind}"
    return [
        Route(base, taxonomy.guarded(taxonomy.list), methods=["GET"]),
        Route(base, taxonomy.guarded(taxonomy.create), methods=["POST"]),
        Route(base + "/{name}", taxonomy.guarded(taxonomy.update), methods=["PUT"]),
    ]


def key_of(kind: str, name: str, form: dict[str, str]) -> str:
    """The key of a plan's entry; a property's includes the event it belongs to."""
    return f"{form.get('event_type', '')}/{name}" if kind == "event-property" else name


def success(data: Any = None) -> Response:
    """An answer that all went well, with what was asked for."""
    return json_response({"success": True} | ({} if data is None else {"data": data}), 200)


def failure(status: int, message: str) -> Response:
    """A refusal as the Taxonomy API words it."""
    body: dict[str, Any] = {"success": False, "errors": [{"message": message}]}
    return json_response(body, status)
