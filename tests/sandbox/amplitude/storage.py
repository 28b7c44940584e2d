"""The events Amplitude kept, as they came: bodies in a temporary file, and which of them count."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class RawBody(msgspec.Struct):
    """A request's events, each still encoded."""

    events: list[msgspec.Raw]


class Kept(NamedTuple):
    """Where a body lies in the file, and which of its events were new."""

    offset: int
    size: int
    indexes: Sequence[int]
    at: float


class Storage:
    """All kept events, in the order in which they were received."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the project)
        self._bodies: list[Kept] = []
        self._end = 0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def keep(self, body: bytes, indexes: Sequence[int], at: float) -> None:
        """Keep some events of a body that came at a time (Unix seconds)."""
        if indexes:
            self._file.seek(self._end)
            self._file.write(body)
            self._bodies.append(Kept(self._end, len(body), indexes, at))
            self._end += len(body)

    def events(self) -> Iterator[bytes]:
        """Each kept event as its JSON."""
        for _, event in self.timed_events():
            yield event

    def timed_events(self) -> Iterator[tuple[float, bytes]]:
        """When each kept event came, and its JSON."""
        for kept in self._bodies:
            for _, event in self._read(kept):
                yield kept.at, event

    def remove(self, insert_ids: set[str]) -> list[bytes]:
        """Remove events and return them."""
        removed = []
        for place, kept in enumerate(self._bodies):
            left = []
            for index, raw in self._read(kept):
                if msgspec.json.decode(raw).get("insert_id") in insert_ids:
                    removed.append(raw)
                else:
                    left.append(index)
            self._bodies[place] = kept._replace(indexes=left)
        return removed

    def _read(self, kept: Kept) -> Iterator[tuple[int, bytes]]:
        self._file.seek(kept.offset)
        events = msgspec.json.decode(self._file.read(kept.size), type=RawBody).events
        for index in kept.indexes:
            yield index, bytes(events[index])
