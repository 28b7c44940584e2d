"""Threads that start or fail to, but never keep their starter waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_BYTES = 16 << 20
"""More than a thread needs for its stack and its first steps."""


def start_thread(target: Callable[[], object], name: str | None = None) -> threading.Thread:
    """Start a thread that does not outlive the process.

    Raises:
        MemoryError: There is too little memory for it.
        RuntimeError: The system gives no more threads.
    """
    # `start` waits for the thread's first steps, for ever where they fail for want of memory.
    bytearray(_FIRST_BYTES)
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread
