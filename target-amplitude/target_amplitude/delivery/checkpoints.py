"""Which state may be written: the newest one with every record before it settled. Pure."""

from __future__ import annotations

from collections import deque


class _Epoch:
    """The records between two states."""

    __slots__ = ("opened", "settled", "state")

    def __init__(self) -> None:
        self.opened = 0
        self.settled = 0
        self.state: bytes | None = None


class Ledger:
    """Counts records by the state that covers them.

    A record is opened when it is read and settled once it was accepted, skipped by a setting, or
    kept aside on disk. Nothing else moves a state.
    """

    def __init__(self) -> None:
        """Start with no records and no state."""
        self._epochs: deque[_Epoch] = deque([_Epoch()])
        self._first = 0

    @property
    def epoch(self) -> int:
        """Number of the epoch that records read now belong to."""
        return self._first + len(self._epochs) - 1

    @property
    def is_waiting(self) -> bool:
        """Whether a state waits for records to be settled."""
        return len(self._epochs) > 1

    @property
    def unsettled(self) -> int:
        """Records opened and not settled."""
        return sum(epoch.opened - epoch.settled for epoch in self._epochs)

    def open(self, count: int = 1) -> None:
        """Count records that were read."""
        self._epochs[-1].opened += count

    def settle(self, epoch: int, count: int = 1) -> None:
        """Count records of an epoch that need no more care."""
        self._epochs[epoch - self._first].settled += count

    def close(self, state: bytes) -> None:
        """End the current epoch with the state that covers it."""
        current = self._epochs[-1]
        if current.opened == 0 and len(self._epochs) > 1:
            self._epochs[-2].state = state
            return
        current.state = state
        self._epochs.append(_Epoch())

    def take(self) -> bytes | None:
        """The newest state that is true now and was not taken before."""
        state = None
        while len(self._epochs) > 1 and self._epochs[0].settled == self._epochs[0].opened:
            state = self._epochs.popleft().state
            self._first += 1
        return state
