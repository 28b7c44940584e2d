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
    from collections.abc import Iterable, Iterator

_CHUNK = 262_144
_BLOCK = 32_768
"""Small enough for the records decoded from a block to fit into the processor's cache."""

_PIPE = 1 << 20

MAX_LINE_BYTES = 4 << 20
"""The longest line to read. Amplitude cuts text at 1,024 characters and its own libraries send at
most 1,024 properties, which are 4 MB; and once it is decoded, JSON may take 24 times its bytes."""


class Wakeup:
    """A pipe through which another thread or a signal handler ends the wait for input."""

    def __init__(self) -> None:
        """Open the pipe."""
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
        return self._reader not in dict(waiting.poll())

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._reader)
        os.close(self._writer)


def read_blocks(source: IO[str] | IO[bytes], wakeup: Wakeup, limit: int | None) -> Iterator[bytes]:
    """Yield blocks of whole lines; the last line may lack its newline.

    Ends early when woken, and after `limit` bytes where that is given. A line that is too long
    comes as `whole_lines` cuts it.
    """
    return whole_lines(_read_chunks(source, wakeup, limit))


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield blocks of whole lines; what comes after the last newline is dropped.

    As much of a line as shows that it is longer than `MAX_LINE_BYTES` is a block, and the rest of
    it is dropped.
    """
    begun = bytearray()
    for chunk in chunks:
        begin = 0
        if begun:
            begin = chunk.find(b"\n") + 1
            was_too_long = len(begun) > MAX_LINE_BYTES
            begun += chunk[: min(begin or len(chunk), MAX_LINE_BYTES + 1 - len(begun))]
            if not was_too_long and (begin or len(begun) > MAX_LINE_BYTES):
                yield bytes(begun)
            if not begin:
                continue
            begun.clear()
        end = chunk.rfind(b"\n") + 1
        yield from _blocks(chunk, begin, end)
        begun += chunk[end:]


def _blocks(lines: bytes, begin: int, end: int) -> Iterator[bytes]:
    while begin < end:
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
    """Yield what is read, and at its end a newline, for a last line that lacks it."""
    descriptor = descriptor_of(source)
    if descriptor is None:
        for piece in iter(lambda: source.read(_CHUNK), type(source.read(0))()):
            yield piece.encode() if isinstance(piece, str) else piece
    else:
        _widen(descriptor)
        left = sys.maxsize if limit is None else limit
        while left > 0:
            if not wakeup.wait_for(descriptor):
                return
            chunk = os.read(descriptor, min(_CHUNK, left))
            if not chunk:
                break
            left -= len(chunk)
            yield chunk
    yield b"\n"
