"""A pipe that does not block and is full before anybody reads it."""

from __future__ import annotations

import io
import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


def through_a_full_pipe(write: Callable[[BinaryIO], None], *, buffered: bool) -> bytes:
    """What comes out of the pipe; `write` gets its other end, as Python gives standard output."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    received: list[bytes] = []

    def read() -> None:
        time.sleep(0.2)
        while chunk := os.read(reader, 7777):
            received.append(chunk)

    thread = threading.Thread(target=read)
    thread.start()
    raw = io.FileIO(writer, "wb")
    stream: BinaryIO = io.BufferedWriter(raw) if buffered else raw
    write(stream)
    stream.close()
    thread.join()
    os.close(reader)
    return b"".join(received)
