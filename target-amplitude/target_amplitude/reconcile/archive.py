"""The archive that an export is: its lines, within limits at every level."""

from __future__ import annotations

import struct
import zipfile
import zlib
from functools import partial
from itertools import chain
from typing import IO, TYPE_CHECKING

from target_amplitude.input.lines import whole_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PIECE_BYTES = 1 << 16
_MAX_DIRECTORY_BYTES = 4 << 20
"""The longest directory to read: of 40,000 files and more, a kilobyte of memory each."""

_MAX_EXPANSION = 100
"""How many times as long an archive may become: events that differ in little but ids and times, as
real ones do not, become 13 times as long."""

_MIN_ALLOWANCE = 64 << 20
"""What the smallest archive may become."""

_MIN_COST = 4096
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\5\6"
_LONGEST_END = _END.size + 0xFFFF
_MANY_FILES = 0xFFFF
"""What the end of a directory says of as many files and more, or else it says the last 16 bits."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31

_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, LookupError, ValueError),
    *(ArithmeticError, NotImplementedError),
)
"""What `zipfile` raises, by fuzzing, for bytes that are no archive."""


class BrokenExportError(Exception):
    """An export that is no zip of gzipped lines of JSON, such as one that was cut."""


def read_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of an export that are not blank, also those of files that are not gzipped.

    A line that is too long comes as `whole_lines` cuts it.

    Raises:
        BrokenExportError: Before the first line, if the export cannot be read to its end or becomes
            too large.
    """
    try:
        with zipfile.ZipFile(_ShortReads(file)) as archive:
            size = file.seek(0, 2)
            _check_count(file, archive)
            for _ in _unpack(archive, size):
                pass
            for block in whole_lines(_unpack(archive, size)):
                yield from filter(bytes.strip, block.split(b"\n"))
    except _DAMAGES as damage:
        raise BrokenExportError(type(damage).__name__) from None


def _check_count(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Check that the directory has as many files as its end says, which `zipfile` does not do."""
    file.seek(max(0, file.seek(0, 2) - _LONGEST_END))
    end = file.read()
    count = _END.unpack_from(end, end.rindex(_END_MAGIC))[4]
    if count not in (len(archive.infolist()) & _MANY_FILES, _MANY_FILES):
        raise BrokenExportError("directory")


class _ShortReads:
    """A file for `zipfile`, which reads the directory of an archive in one piece."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seekable, self.seek, self.tell = file.seekable, file.seek, file.tell
        self._file = file

    def read(self, size: int = _MAX_DIRECTORY_BYTES) -> bytes:
        return self._file.read(min(size, _MAX_DIRECTORY_BYTES))


def _unpack(archive: zipfile.ZipFile, size: int) -> Iterator[bytes]:
    """Yield what the files of an archive of some size hold, each with a newline at its end."""
    left = _MIN_ALLOWANCE + _MAX_EXPANSION * size
    for entry in archive.infolist():
        # Other methods unpack without a limit, and a password is asked for by a RuntimeError.
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
            raise BrokenExportError("method")
        with archive.open(entry) as file:
            pieces = iter(partial(file.read, _PIECE_BYTES), b"")
            first = next(pieces, b"")
            inflate = _inflate if first.startswith(_GZIP_MAGIC) else iter
            for piece in inflate(chain([first], pieces)):
                # Also nothing costs something, or millions of empty parts would be free.
                left -= _MIN_COST + len(piece)
                if left < 0:
                    raise BrokenExportError("expansion")
                yield piece
        yield b"\n"


def _inflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip; the module `gzip` would read a name in a header byte by byte, however long."""
    inflate = zlib.decompressobj(_GZIP_WINDOW)
    for piece in pieces:
        packed = piece
        while packed:
            yield inflate.decompress(packed, _PIECE_BYTES)
            packed = inflate.unconsumed_tail or inflate.unused_data
            if inflate.eof and packed:
                inflate = zlib.decompressobj(_GZIP_WINDOW)
    yield from iter(partial(inflate.decompress, b"", _PIECE_BYTES), b"")
    if not inflate.eof:
        raise BrokenExportError("cut")
