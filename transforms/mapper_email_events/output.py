"""Writing to standard output so that nothing is missing in it."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO


def write_whole(stream: BinaryIO, data: bytes) -> None:
    """Write all of it and flush, also where one write takes only a part.

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


def _is_flushed(stream: BinaryIO) -> bool:
    try:
        stream.flush()
    except BlockingIOError:
        return False
    return True
