"""Count distinct users in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_HASHES = 8192
_HASHES = 1 << 64
_LARGEST_HASH = (1 << 63) - 1


class DistinctUsers:
    """Exact up to 8,192 users; beyond, an estimate (about 1 % off) from the smallest hashes."""

    __slots__ = ("_bound", "_hashes")

    def __init__(self) -> None:
        """Start without users."""
        self._hashes: set[int] = set()
        self._bound = _LARGEST_HASH

    def add(self, users: Iterable[str]) -> None:
        """Add users, whether new or known."""
        bound = self._bound
        self._hashes.update([hashed for hashed in map(hash, users) if hashed <= bound])
        if len(self._hashes) >= 2 * _MAX_HASHES:
            self._trim()

    @property
    def is_exact(self) -> bool:
        """Whether the count is exact."""
        return self._bound == _LARGEST_HASH and len(self._hashes) <= _MAX_HASHES

    def count(self) -> int:
        """Return the number of distinct users added."""
        if self.is_exact:
            return len(self._hashes)
        self._trim()
        share = (self._bound + (_HASHES >> 1) + 1) / _HASHES
        return round((_MAX_HASHES - 1) / share)

    def _trim(self) -> None:
        smallest = sorted(self._hashes)[:_MAX_HASHES]
        self._hashes = set(smallest)
        self._bound = smallest[-1]
