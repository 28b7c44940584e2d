"""Runs the mapper in this process."""

from __future__ import annotations

import io
import tempfile
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from mapper_email_events.common.errors import UserError
from mapper_email_events.mapper import MapperEmailEvents

if TYPE_CHECKING:
    from collections.abc import Iterable


def mapped(config: dict[str, Any], lines: Iterable[bytes]) -> tuple[list[bytes], str]:
    """Return the lines that a mapper passes on before it ends, and why it ends if it fails."""
    mapper = MapperEmailEvents(config=config)
    out = io.TextIOWrapper(io.BytesIO())
    error = ""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file, redirect_stdout(out):
        file.buffer.write(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
        file.seek(0)
        try:
            mapper.listen(file)
        except UserError as failure:
            error = str(failure)
    out.seek(0)
    return out.buffer.read().splitlines(), error
