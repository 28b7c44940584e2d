"""HTTP Basic authentication with the project's two keys, as the management APIs want it."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from sandbox.amplitude.project import SECRET_KEY

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.amplitude.project import Project


def is_authorized(request: Request, project: Project) -> bool:
    """Whether the request names the project's API key and its secret key."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        pair = base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and pair == f"{project.behaviour.api_key}:{SECRET_KEY}"
