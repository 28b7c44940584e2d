"""Writing so that nothing is missing, and files that only their owner reads."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


def write_whole(stream: BinaryIO, data: bytes) -> None:
    """Write all of it to standard output and flush, also where one write takes only a part.

    With PYTHONUNBUFFERED standard output is a raw file, of which a write into a full pipe ends
    early when the process is stopped and continued, or gets a signal. One that does not block, as
    a parent process may have set it, takes what there is room for.

    Raises:
        BrokenPipeError: Nobody reads any more.
    """
    rest = memoryview(data)
    while rest:
        try:
            written = stream.write(rest) or 0
        except BlockingIOError as full:
            written = full.characters_written
        rest = rest[written:]
        if not written:
            select.select([], [stream], [])
    while not _is_flushed(stream):
        select.select([], [stream], [])


def open_private(path: Path, mode: int) -> int:
    """Open a file for writing, made for its owner only; `mode` is `os.O_APPEND` or `os.O_TRUNC`.

    Raises:
        OSError: It cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it to a file.

    Raises:
        OSError: It cannot be written.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _is_flushed(stream: BinaryIO) -> bool:
    try:
        stream.flush()
    except BlockingIOError:
        return False
    return True
