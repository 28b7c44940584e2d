"""The rejects file: refused records as Singer messages that the target can load again."""

from __future__ import annotations

import json
import os
import stat
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from target_amplitude.common.output import explained, open_output, write_all
from target_amplitude.delivery.block import count_rejects
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from target_amplitude.delivery.block import Reject

_REJECTED = "rejected"
"""Key of a RECORD message, beside `record`, that holds the reason."""


class _Origin(msgspec.Struct):
    run: str = ""


class RejectsFile:
    """Append-only file at `rejected_path`, readable by its owner only.

    Each message carries the id of its run, so that a run whose input is this file recognises what
    it has written itself.

    Attributes:
        is_input: Whether this file is the input too; then refused records stay where they are.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            RunFailedError: If it cannot be opened for appending.
        """
        self._path = path
        self._run_id = uuid4().hex
        self.is_input = False
        self._schemas: dict[str, bytes] = {}
        self._written_schemas: dict[str, bytes] = {}
        self._is_unsynced = False
        with self._kept():
            self._file = open_output(path, append=True)
        self._is_regular = stat.S_ISREG(os.fstat(self._file).st_mode)

    def detect_input(self, descriptor: int) -> int | None:
        """Set `is_input` if an open file is this one; returns how many bytes are left to read."""
        status = os.fstat(descriptor)
        if not (self._is_regular and os.path.samestat(status, os.fstat(self._file))):
            return None
        self.is_input = True
        return status.st_size - os.lseek(descriptor, 0, os.SEEK_CUR)

    def has_written(self, rejected: msgspec.Raw) -> bool:
        """Whether a reason beside a record was written by this run."""
        try:
            return msgspec.json.decode(rejected, type=_Origin).run == self._run_id
        except msgspec.MsgspecError:
            return False

    def add_schemas(self, schemas: dict[str, bytes]) -> None:
        """Remember the SCHEMA messages to be written before rejects of their streams."""
        self._schemas |= schemas

    def write(self, rejects: Iterable[Reject]) -> None:
        """Append rejects and count them.

        Raises:
            RunFailedError: If they cannot be written.
        """
        rejects = list(rejects)
        if self.is_input:
            count_rejects(rejects)
            return
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        parts: list[bytes] = []
        for reject in rejects:
            stream, message = self._with_reason(reject, at)
            schema = self._schemas.get(stream)
            if schema is not None and self._written_schemas.get(stream) != schema:
                parts.append(schema)
                self._written_schemas[stream] = schema
            parts.append(message)
        if not parts:
            return
        with self._kept():
            write_all(self._file, b"\n".join([*parts, b""]))
        self._is_unsynced = self._is_regular
        count_rejects(rejects)

    def sync(self) -> None:
        """Flush what was written to the disk.

        Raises:
            RunFailedError: If that fails.
        """
        if not self._is_unsynced:
            return
        with self._kept():
            os.fsync(self._file)
        self._is_unsynced = False

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _with_reason(self, reject: Reject, at: str) -> tuple[str, bytes]:
        """Return the stream of a record, and its message with the reason added."""
        rejected = {"reason": reject.reason, "at": at, "run": self._run_id}
        if reject.detail:
            rejected["detail"] = reject.detail
        if reject.message:
            rejected["amplitude"] = reject.message
        try:
            message = msgspec.json.decode(reject.line, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            loose: dict[str, Any] = json.loads(reject.line)
            return loose["stream"], json.dumps(loose | {_REJECTED: rejected}).encode()
        message[_REJECTED] = msgspec.Raw(msgspec.json.encode(rejected))
        return msgspec.json.decode(message["stream"], type=str), msgspec.json.encode(message)

    def _kept(self) -> AbstractContextManager[None]:
        return explained(
            f"Records cannot be kept in rejected_path {self._path}",
            "make room or name another path. No state covers them",
            RunFailedError,
        )
