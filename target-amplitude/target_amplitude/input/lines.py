"""Read the input in blocks of whole lines, in a way that can be interrupted."""

from __future__ import annotations

import fcntl
import io
import os
import select
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 262_144
_BLOCK = 32_768
"""Small enough for the records decoded from a block to fit into the processor's cache."""

_PIPE = 1 << 20


class Wakeup:
    """A pipe through which another thread or a signal handler ends the wait for input."""

    def __init__(self) -> None:
        """Open the pipe."""
        self.is_woken = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def wake(self) -> None:
        """End the wait, or the next one if nobody waits."""
        try:
            os.write(self._writer, b"!")
        except OSError:  # full, so that the reader is awake, or closed
            return

    def wait_for(self, descriptor: int) -> bool:
        """Wait for input; False if woken instead."""
        waiting = select.poll()  # `select.select` takes no descriptor from 1,024 on
        for each in (descriptor, self._reader):
            waiting.register(each, select.POLLIN)
        self.is_woken = self._reader in dict(waiting.poll())
        return not self.is_woken

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._reader)
        os.close(self._writer)


def read_blocks(source: IO[str] | IO[bytes], wakeup: Wakeup, limit: int | None) -> Iterator[bytes]:
    """Yield blocks of whole lines; the last line may lack its newline.

    Ends early when woken, and after `limit` bytes where that is given.
    """
    rest: list[bytes] = []
    for chunk in _read_chunks(source, wakeup, limit):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield from _blocks(b"".join([*rest, chunk[:end]]))
            rest = []
        rest.append(chunk[end:])
    last_line = b"".join(rest)
    if last_line and not wakeup.is_woken:
        yield last_line


def _blocks(lines: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(lines):
        cut = lines.rfind(b"\n", begin, begin + _BLOCK) + 1 or lines.find(b"\n", begin) + 1
        yield lines[begin:cut]
        begin = cut


def descriptor_of(source: IO[str] | IO[bytes]) -> int | None:
    """Return the file descriptor of a source, or None if it is in memory."""
    try:
        return source.fileno()
    except (io.UnsupportedOperation, OSError, AttributeError):
        return None


def _widen(descriptor: int) -> None:
    """Make a pipe hold a whole page of the tap; with 64 KB the two would wait for each other."""
    if sys.platform == "linux":
        # The input may be no pipe, and the user's limit for pipes may be reached.
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE)


def _read_chunks(
    source: IO[str] | IO[bytes],
    wakeup: Wakeup,
    limit: int | None,
) -> Iterator[bytes]:
    descriptor = descriptor_of(source)
    if descriptor is None:
        for piece in iter(lambda: source.read(_CHUNK), type(source.read(0))()):
            yield piece.encode() if isinstance(piece, str) else piece
        return
    _widen(descriptor)
    left = limit
    while left is None or left > 0:
        if not wakeup.wait_for(descriptor):
            return
        chunk = os.read(descriptor, _CHUNK if left is None else min(_CHUNK, left))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk
