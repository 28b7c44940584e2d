"""``/crm/v3/objects/contacts/batch/read``: contacts by their email address."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from sandbox.hubspot.answers import Refusal, json_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.hubspot.portal import HubSpot
    from sandbox.hubspot.store import Account
    from sandbox.hubspot.tokens import Access

MOST_INPUTS = 100
CREATED = "2024-02-29T09:30:00.000Z"


class Input(msgspec.Struct):
    """One contact that is asked for."""

    id: str


class Question(msgspec.Struct, rename="camel"):
    """The body of a batch read."""

    inputs: list[Input]
    properties: list[str] = []
    id_property: str | None = None


def routes(hubspot: HubSpot) -> list[Route]:
    """The route of the contacts."""

    async def batch_read(request: Request, access: Access) -> Response:
        try:
            question = msgspec.json.decode(await request.body(), type=Question)
        except msgspec.DecodeError as error:
            raise Refusal(400, f"Invalid input JSON: {error}") from None
        account = hubspot.account(access.portal_id)
        strict = hubspot.behaviour.contacts_missing == "refuse"
        if strict and any(each.id.lower() not in account.contacts for each in question.inputs):
            raise Refusal(404, "Contact does not exist.", "OBJECT_NOT_FOUND")
        return read(account, question)

    endpoint = hubspot.guarded(batch_read, "crm.objects.contacts.read")
    return [Route("/crm/v3/objects/contacts/batch/read", endpoint, methods=["POST"])]


def read(account: Account, question: Question) -> Response:
    """Answer a batch read: 200 where every contact is there, else 207.

    Raises:
        Refusal: 400, it asks for too many, for one twice, or by something other than email.
    """
    ids = [each.id.lower() for each in question.inputs]
    if len(ids) > MOST_INPUTS:
        raise Refusal(400, f"Batch of {len(ids)} is larger than the maximum of {MOST_INPUTS}")
    if len(set(ids)) < len(ids):
        raise Refusal(400, "Duplicate IDs found in batch input. IDs must be unique")
    if question.id_property not in {"email", None}:
        raise Refusal(400, f"The property {question.id_property} is not a unique identifier")
    # Without a property they are numbers, which nobody knows here.
    known = account.contacts if question.id_property == "email" else {}
    results = [result(known[each], question.properties) for each in ids if each in known]
    missing = [each for each in ids if each not in known]
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    body = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if not missing:
        return json_response(body)
    error = {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some CONTACT objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": {"ids": missing},
    }
    return json_response(body | {"numErrors": 1, "errors": [error]}, 207)


def result(contact: dict[str, str], properties: list[str]) -> dict[str, Any]:
    """One contact with the properties asked for, null where it has none."""
    number = str(100_000 + zlib.crc32(contact["email"].encode()))
    asked = properties or ["firstname", "lastname", "email"]
    always = {"createdate": CREATED, "hs_object_id": number, "lastmodifieddate": CREATED}
    return {
        "id": number,
        "properties": {name: contact.get(name) for name in asked} | always,
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "archived": False,
    }
