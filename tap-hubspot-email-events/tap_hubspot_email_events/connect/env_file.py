"""Setting a variable in a `.env` file; everything else there is kept."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_PLAIN = re.compile(r"[\w.=+/:@%~-]*", re.ASCII)


_QUOTED = r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")[ \t]*(?:\#[^\r\n]*)?(?=[\r\n]|\Z)"""
"""A value in quotes, of any number of lines, as python-dotenv reads it."""

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})


def with_variable(text: str, name: str, value: str) -> str:
    """The text of a `.env` file with a variable set, in place if it is assigned there."""
    line = f"{name}={_quoted(value)}"
    # Comments that hold an assignment are kept too.
    assignment = re.compile(
        rf"^[ \t]*(?:export[ \t]+)?{re.escape(name)}[ \t]*=[ \t]*(?:{_QUOTED}|[^\r\n]*)",
        re.MULTILINE | re.DOTALL,
    )
    if assignment.search(text):
        return assignment.sub(lambda _: line, text)
    end = "\r\n" if "\r\n" in text else "\n"
    gap = end if text and not text.endswith("\n") else ""
    return f"{text}{gap}{line}{end}"


def set_variable(path: Path, name: str, value: str) -> None:
    """Set a variable in a file, atomically, and let only its owner read the file.

    Raises:
        OSError: The file cannot be read or replaced.
        UnicodeDecodeError: The file is not text.
    """
    # Keep a symbolic link and replace the file it points to.
    path = path.resolve()
    text = path.read_bytes().decode() if path.exists() else ""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        # mkstemp creates the file with mode 0600.
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
    # python-dotenv fills in variables whatever the quotes, here the default of one without a name.
    return '"' + value.translate(_ESCAPES).replace("${", "${:-$}{") + '"'
