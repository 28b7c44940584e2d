"""Amplitude's answers as HTTP."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response


class Refusal(Exception):  # noqa: N818  (an answer to give, not a failure of the sandbox)
    """An answer other than 200, with its body."""

    def __init__(self, code: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.code = code
        self.body = {"code": code, "error": error, **more}

    def response(self) -> Response:
        """The refusal as HTTP."""
        return json_response(self.body, self.code)


def json_response(body: dict[str, Any], status: int = 200) -> Response:
    """A body as Amplitude sends it."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")
