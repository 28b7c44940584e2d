"""A set of millions of hashed keys, with a count for each, in nine bytes a key."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from hashlib import blake2b

_BUCKETS = 4096
_MARK = 0x80
_MOST = _MARK - 1


class KeySet:
    """Keys are added first, then counted; of their hash, 76 bits tell them apart.

    So one of ten million is taken for one of a hundred million others once in 75 million times.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._counts: list[bytearray] = []

    def add(self, key: bytes) -> None:
        """Add a key; nothing may have been counted yet."""
        bucket, rest = _hash(key)
        self._buckets[bucket].append(rest)

    def freeze(self) -> None:
        """Prepare to count, once all keys are added."""
        for number, bucket in enumerate(self._buckets):
            self._buckets[number] = array("Q", sorted(set(bucket)))
        self._counts = [bytearray(len(bucket)) for bucket in self._buckets]

    def note(self, key: bytes) -> bool:
        """Count a key once more, if it is in the set; returns whether it is."""
        bucket, place = self._find(key)
        if place < 0:
            return False
        counts = self._counts[bucket]
        if counts[place] & _MOST < _MOST:
            counts[place] += 1
        return True

    def count(self, key: bytes) -> int:
        """How often a key was counted, 127 at most."""
        bucket, place = self._find(key)
        return self._counts[bucket][place] & _MOST if place >= 0 else 0

    def mark(self, key: bytes) -> bool:
        """Mark a key of the set; returns whether it was not marked before."""
        bucket, place = self._find(key)
        counts = self._counts[bucket]
        is_first = not counts[place] & _MARK
        counts[place] |= _MARK
        return is_first

    def _find(self, key: bytes) -> tuple[int, int]:
        bucket, rest = _hash(key)
        values = self._buckets[bucket]
        place = bisect_left(values, rest)
        return bucket, place if place < len(values) and values[place] == rest else -1


def _hash(key: bytes) -> tuple[int, int]:
    digest = blake2b(key, digest_size=10).digest()
    return int.from_bytes(digest[:2], "big") % _BUCKETS, int.from_bytes(digest[2:], "big")
