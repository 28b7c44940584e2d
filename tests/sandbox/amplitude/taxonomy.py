"""``/api/2/taxonomy``: the plan of categories, events and properties.

A user property is planned by its name, and read and changed by its name after ``gp:``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from sandbox.amplitude.answers import Refusal, json_response
from sandbox.wire import read_form

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


class Failure(Refusal):
    """A refusal as the Taxonomy API words it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.body = {"success": False, "errors": [{"message": message}]}


def routes(project: Project) -> list[Route]:
    """The routes of the taxonomy."""

    async def endpoint(request: Request) -> Response:
        kind = request.path_params["kind"]
        if not project.admits(request.headers.get("authorization", "")):
            raise Failure(401, "Unauthorized")
        if not project.behaviour.taxonomy:
            raise Failure(403, "The Taxonomy API is not part of this plan")
        if kind not in KINDS:
            raise Failure(404, "Not found")
        if request.method == "GET":
            return success(list(project.plan[kind].values()))
        form = await read_form(request)
        if form is None:
            raise Failure(400, "The body is not a form")
        if request.method == "POST":
            return create(project, kind, form)
        return update(project, kind, request.path_params["name"], form)

    base = "/api/2/taxonomy/{kind}"
    return [
        Route(base, endpoint, methods=["GET", "POST"]),
        Route(base + "/{name}", endpoint, methods=["PUT"]),
    ]


def create(project: Project, kind: str, form: dict[str, str]) -> Response:
    """Plan one more."""
    name = form.get(KINDS[kind])
    if not name:
        raise Failure(400, f"The field {KINDS[kind]} is missing")
    if kind == "event" and "display_name" in form:
        raise Failure(400, "The display name of an event can be set only by an update")
    if kind == "user-property":
        name = form[KINDS[kind]] = f"gp:{name}"
    key = key_of(kind, name, form)
    if key in project.plan[kind]:
        if kind == "user-property" and project.behaviour.planned_again == "success_false":
            return json_response({"success": False})
        raise Failure(409, f"{name} already exists")
    project.plan[kind][key] = form
    return success()


def update(project: Project, kind: str, name: str, form: dict[str, str]) -> Response:
    """Change one; an event's display name only once the event was ingested."""
    entry = project.plan[kind].get(key_of(kind, name, form))
    if entry is None:
        raise Failure(404, "Not found")
    if kind == "event" and "display_name" in form and not project.counts[name]:
        raise Failure(409, "The display name can be updated once the event is ingested")
    entry |= form
    return success()


def key_of(kind: str, name: str, form: dict[str, str]) -> str:
    """The key of a plan's entry; a property's includes the event it belongs to."""
    return f"{form.get('event_type', '')}/{name}" if kind == "event-property" else name


def success(data: Any = None) -> Response:
    """An answer that all went well, with what was asked for."""
    return json_response({"success": True} | ({} if data is None else {"data": data}))
