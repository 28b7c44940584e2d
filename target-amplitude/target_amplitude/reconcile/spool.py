"""The input of a run on disk, to be read a second time."""

from __future__ import annotations

import tempfile
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LENGTH = 4


class Spool:
    """Blocks of lines, compressed, in a file without a name, which ends with the process."""

    def __init__(self, folder: Path) -> None:
        """Open the file in this folder.

        Raises:
            RunFailedError: If it cannot be written to.
        """
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise self._unwritable(error) from None

    def add(self, block: bytes) -> None:
        """Add a block.

        Raises:
            RunFailedError: If the disk is full.
        """
        packed = zlib.compress(block, 1)
        try:
            self._file.write(len(packed).to_bytes(_LENGTH, "big") + packed)
        except OSError as error:
            raise self._unwritable(error) from None

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks in the order they were added.

        Raises:
            RunFailedError: If the disk is full.
        """
        try:
            self._file.seek(0)
        except OSError as error:  # what was still to be written does not fit
            raise self._unwritable(error) from None
        while length := self._file.read(_LENGTH):
            yield zlib.decompress(self._file.read(int.from_bytes(length, "big")))

    def close(self) -> None:
        """Close the file, which removes it."""
        with suppress(OSError):  # on a full disk
            self._file.close()

    def _unwritable(self, error: OSError) -> RunFailedError:
        return RunFailedError(
            f"The events to compare cannot be kept in {self._folder} ({error.strerror}); make room "
            "there, or read a shorter range of dates.",
        )
