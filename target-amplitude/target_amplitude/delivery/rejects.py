"""The rejects file: records kept aside as Singer messages that the target can take again."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from target_amplitude.history.counts import StreamTally

MARK = "rejected"
"""Key of a RECORD message, beside `record`, under which the reason stands."""


class Reject(msgspec.Struct, frozen=True):
    """One record to keep aside, as the line it came in.

    Where a tally is given, the record is counted there once it is kept; `counted` as in `Refusal`.
    """

    line: bytes
    reason: str
    detail: str = ""
    words: str = ""
    tally: StreamTally | None = None
    counted: bool = True


def count_rejects(rejects: Iterable[Reject]) -> None:
    """Count records as rejected, which is true once they are kept."""
    for reject in rejects:
        if reject.tally is not None:
            reject.tally.reject(reject.reason, counted=reject.counted)


class RejectsFile:
    """Appends to `rejected_path`, which only its owner can read.

    Every message carries the run's id, so that a run which is fed its own rejects knows them.
    Where the file itself is the input (`is_input`), what is refused again stays where it is.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            RunFailedError: If it cannot be opened for appending.
        """
        self._path = path
        self.run = uuid4().hex
        self.is_input = False
        self._schemas: dict[str, bytes] = {}
        self._written_schemas: dict[str, bytes] = {}
        self._unsynced = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as failure:
            raise self._unwritable(failure) from None
        with suppress(OSError):  # a device such as /dev/null keeps its own mode
            if path.is_file():
                os.fchmod(self._file, 0o600)

    def size_if_same(self, descriptor: int) -> int | None:
        """Bytes to read of an open file if it is this file, which then is the input too."""
        if not os.path.samestat(os.fstat(descriptor), os.fstat(self._file)):
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        self.is_input = True
        return os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)

    def schema(self, stream: str, line: bytes) -> None:
        """Remember the SCHEMA message that records of a stream need before them."""
        self._schemas[stream] = line

    def write(self, rejects: Iterable[Reject]) -> None:
        """Append records and count them.

        Raises:
            RunFailedError: If they cannot be kept.
        """
        rejects = list(rejects)
        if self.is_input:
            count_rejects(rejects)
            return
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        parts: list[bytes] = []
        for reject in rejects:
            stream, message = self._marked(reject, at)
            schema = self._schemas.get(stream)
            if schema is not None and self._written_schemas.get(stream) != schema:
                parts.append(schema)
                self._written_schemas[stream] = schema
            parts.append(message)
        if not parts:
            return
        data = memoryview(b"\n".join([*parts, b""]))
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as failure:
            raise self._unwritable(failure) from None
        self._unsynced = True
        count_rejects(rejects)

    def sync(self) -> None:
        """Make what was written survive a power cut.

        Raises:
            RunFailedError: If the disk refuses.
        """
        if not self._unsynced:
            return
        try:
            os.fsync(self._file)
        except OSError as failure:
            if self._path.is_file():
                raise self._unwritable(failure) from None
        self._unsynced = False

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _marked(self, reject: Reject, at: str) -> tuple[str, bytes]:
        """Stream and text of a record's message with the reason in it."""
        mark = {"reason": reject.reason, "at": at, "run": self.run}
        if reject.detail:
            mark["detail"] = reject.detail
        if reject.words:
            mark["amplitude"] = reject.words
        try:
            message = msgspec.json.decode(reject.line, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            loose: dict[str, Any] = json.loads(reject.line)
            return loose["stream"], json.dumps(loose | {MARK: mark}).encode()
        message[MARK] = msgspec.Raw(msgspec.json.encode(mark))
        return msgspec.json.decode(message["stream"], type=str), msgspec.json.encode(message)

    def _unwritable(self, failure: OSError) -> RunFailedError:
        reason = failure.strerror or "unknown reason"
        return RunFailedError(
            f"Records cannot be kept in rejected_path {self._path}: {reason}; "
            "make room or name another path, nothing undelivered was passed over.",
        )
