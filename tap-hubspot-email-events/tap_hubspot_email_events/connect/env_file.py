"""One variable in a `.env` file: set in place, everything else kept."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_PLAIN = re.compile(r"[\w.=+/:@%~-]*", re.ASCII)


def with_variable(text: str, name: str, value: str) -> str:
    """The text of a `.env` file with a variable set; an assignment there is replaced in place."""
    line = f"{name}={_quoted(value)}"
    # Comments stay, also those that hold an assignment.
    assignment = re.compile(
        rf"^[ \t]*(?:export[ \t]+)?{re.escape(name)}[ \t]*=[^\r\n]*", re.MULTILINE
    )
    if assignment.search(text):
        return assignment.sub(lambda _: line, text)
    end = "\r\n" if "\r\n" in text else "\n"
    gap = end if text and not text.endswith("\n") else ""
    return f"{text}{gap}{line}{end}"


def set_variable(path: Path, name: str, value: str) -> None:
    """Set a variable in a file only its owner may read; whoever reads it meanwhile sees it whole.

    Raises:
        OSError: The file cannot be read or replaced.
        UnicodeDecodeError: The file is no text.
    """
    # A link stays one: what it leads to is replaced.
    path = path.resolve()
    text = path.read_bytes().decode() if path.exists() else ""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        # Such a file is made with mode 0600.
        with os.fdopen(descriptor, "wb") as file:
            file.write(with_variable(text, name, value).encode())
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
