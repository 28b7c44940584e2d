"""Which state may be written: the newest one with every record before it acknowledged. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class _Checkpoint:
    """The records between two states."""

    opened: int = 0
    acknowledged: int = 0
    state: bytes | None = None


class Checkpoints:
    """Counts records by the state that covers them.

    A record is opened when it is read, and acknowledged once it was accepted, skipped by a setting,
    or written to the rejects file. Nothing else moves a state.
    """

    def __init__(self) -> None:
        self._checkpoints: deque[_Checkpoint] = deque([_Checkpoint()])
        self._first = 0

    @property
    def current(self) -> int:
        """Number of the checkpoint that covers records read now."""
        return self._first + len(self._checkpoints) - 1

    @property
    def is_waiting(self) -> bool:
        """Whether a state waits for records to be acknowledged."""
        return len(self._checkpoints) > 1

    def open(self, count: int = 1) -> None:
        """Add records that were read."""
        self._checkpoints[-1].opened += count

    def acknowledge(self, number: int, count: int = 1) -> None:
        """Acknowledge records of the checkpoint with this number."""
        self._checkpoints[number - self._first].acknowledged += count

    def close(self, state: bytes) -> None:
        """Close the current checkpoint with its state."""
        current = self._checkpoints[-1]
        if current.opened == 0 and len(self._checkpoints) > 1:
            self._checkpoints[-2].state = state
            return
        current.state = state
        self._checkpoints.append(_Checkpoint())

    def take(self) -> bytes | None:
        """Take the newest state that has become true since the last call, if there is one."""
        state = None
        while self.is_waiting and self._checkpoints[0].acknowledged == self._checkpoints[0].opened:
            state = self._checkpoints.popleft().state
            self._first += 1
        return state
