"""What a reconciliation keeps on disk: what was read, and which events are missing."""

from __future__ import annotations

import os
import tempfile
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from target_amplitude.common.output import explained, open_output, write_all
from target_amplitude.delivery.block import Block
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from target_amplitude.delivery.block import QueuedEvent
    from target_amplitude.history.counts import StreamCounts

_LENGTH = 4


class Spool:
    """Blocks, compressed, in a file without a name, which ends with the process."""

    def __init__(self, folder: Path) -> None:
        """Open the file in this folder.

        Raises:
            RunFailedError: If it cannot be written to.
        """
        self._folder = folder
        self._streams: list[StreamCounts] = []
        self._encode = msgspec.msgpack.Encoder(enc_hook=self._number_of).encode
        self._decode = msgspec.msgpack.Decoder(Block, dec_hook=self._stream_of).decode
        with self._kept():
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`

    def add(self, block: Block) -> None:
        """Add a block.

        Raises:
            RunFailedError: If the disk is full.
        """
        packed = zlib.compress(self._encode(block), 1)
        with self._kept():
            self._file.write(len(packed).to_bytes(_LENGTH, "big") + packed)

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks in the order they were added.

        Raises:
            RunFailedError: If the disk is full.
        """
        with self._kept():  # what was still to be written may not fit
            self._file.seek(0)
        while length := self._file.read(_LENGTH):
            packed = self._file.read(int.from_bytes(length, "big"))
            yield self._decode(zlib.decompress(packed))

    def close(self) -> None:
        """Close the file, which removes it."""
        with suppress(OSError):  # on a full disk
            self._file.close()

    def _number_of(self, counts: StreamCounts) -> int:
        if counts not in self._streams:
            self._streams.append(counts)
        return self._streams.index(counts)

    def _stream_of(self, _: type, number: int) -> StreamCounts:
        return self._streams[number]

    def _kept(self) -> AbstractContextManager[None]:
        return explained(
            f"The events to compare cannot be kept in {self._folder}",
            "make room there, or read a shorter range of dates",
            RunFailedError,
        )


class MissingFile:
    """The missing events as Singer messages, readable by their owner only; each report anew.

    It is written once there is something to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events = 0
        self._descriptor: int | None = None
        self._schemas: dict[str, bytes] = {}

    def remove(self) -> None:
        """Remove the file of the last report.

        Raises:
            RunFailedError: If that fails.
        """
        with self._kept():
            self.path.unlink(missing_ok=True)

    def add_schemas(self, schemas: dict[str, bytes]) -> None:
        """Take the SCHEMA messages to be written before the next events of their streams."""
        self._schemas |= schemas

    def add(self, event: QueuedEvent) -> None:
        """Write the record of an event.

        Raises:
            RunFailedError: If it cannot be written.
        """
        schema = self._schemas.pop(event.counts.stream, b"")
        self.events += 1
        with self._kept():
            if self._descriptor is None:
                self._descriptor = open_output(self.path, append=False)
            for line in filter(None, (schema, event.line)):
                write_all(self._descriptor, line.rstrip(b"\n") + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _kept(self) -> AbstractContextManager[None]:
        return explained(
            f"The missing events cannot be kept in {self.path}",
            "make room there, or set rejected_path to another folder",
            RunFailedError,
        )
