"""Form-encoded request bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from starlette.requests import Request

FORM = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a form, None where the body does not call itself one."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
        return None
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
