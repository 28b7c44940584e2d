"""The events Amplitude kept, as they came: bodies in a temporary file, and which of them count."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Event = TypeVar("Event")


class RawBody(msgspec.Struct):
    """A request's events, each still encoded."""

    events: list[msgspec.Raw]


class Kept(NamedTuple):
    """Where a body lies in the file, and which of its events were new."""

    offset: int
    size: int
    indexes: Sequence[int]


class Storage:
    """All kept events, in the order in which they were received."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the project)
        self._bodies: list[Kept] = []
        self._end = 0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def keep(self, body: bytes, indexes: Sequence[int]) -> None:
        """Keep some events of a body."""
        if indexes:
            self._file.seek(self._end)
            self._file.write(body)
            self._bodies.append(Kept(self._end, len(body), indexes))
            self._end += len(body)

    def events(self) -> Iterator[bytes]:
        """Each kept event as its JSON."""
        decoder = msgspec.json.Decoder(RawBody)
        for offset, size, indexes in self._bodies:
            self._file.seek(offset)
            events = decoder.decode(self._file.read(size)).events
            for index in indexes:
                yield bytes(events[index])
