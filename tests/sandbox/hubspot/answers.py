"""The bodies of HubSpot's refusals."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from starlette.responses import Response


def json_response(
    content: Any,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """An answer in HubSpot's content type."""
    return Response(
        msgspec.json.encode(content),
        status,
        headers,
        media_type="application/json;charset=utf-8",
    )


class Refusal(Exception):  # noqa: N818  (an answer to give, not a failure of the sandbox)
    """An answer other than success."""

    def __init__(
        self,
        status: int,
        message: str,
        category: str = "VALIDATION_ERROR",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {
            "status": "error",
            "message": message,
            "correlationId": str(uuid.uuid4()),
            "category": category,
            **more,
        }

    def response(self) -> Response:
        """The refusal as HTTP."""
        return json_response(self.body, self.status, self.headers)


def bad_value(java_type: str, value: str, name: str, expected: str) -> Refusal:
    """The way HubSpot refuses a query parameter that it cannot read."""
    message = (
        f"Invalid input JSON on line -1, column -1: Cannot deserialize value of type `{java_type}` "
        f'from String "{value}": {expected}'
    )
    return Refusal(400, message, errors=[{"message": message, "in": name}])


def unauthenticated(message: str, category: str = "INVALID_AUTHENTICATION") -> Refusal:
    """The token is missing, unknown or too old."""
    return Refusal(401, message, category)


def missing_scopes(*scopes: str) -> Refusal:
    """The token is good, the app was not granted what this call needs."""
    return Refusal(
        403,
        "This app hasn't been granted all required scopes to make this call. "
        "Read more about required scopes here: https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredScopes": list(scopes)},
            }
        ],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )


def too_many_requests(policy: str, headers: dict[str, str]) -> Refusal:
    """A limit is used up: ``TEN_SECONDLY_ROLLING`` or ``DAILY``."""
    return Refusal(
        429,
        f"You have reached your {policy.lower()} limit.",
        "RATE_LIMITS",
        headers,
        errorType="RATE_LIMIT",
        policyName=policy,
    )
