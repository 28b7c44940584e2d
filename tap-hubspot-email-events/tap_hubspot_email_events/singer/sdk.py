"""What the SDK's streams are used for, of whose private names these are all in use.

For them the minor version of singer-sdk is pinned.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import RecordMessage


def passes_unchanged(stream: Stream) -> bool:
    """Whether selection, stream maps and flattening leave a stream's records as they are."""
    maps = stream.stream_maps
    return (
        all(stream.mask.values())
        and len(maps) == 1
        and type(maps[0]) is SameRecordTransform
        and not maps[0].flattening_enabled
        and maps[0].stream_alias == stream.name
    )


def record_messages(stream: Stream, record: dict[str, Any]) -> Iterable[RecordMessage]:
    """The messages the SDK itself would write for a record."""
    return stream._generate_record_messages(record)  # noqa: SLF001


class SelfReadingStream(Stream, abc.ABC):
    """A stream that may read, write and bookmark on its own instead of record by record."""

    _schema_written = False

    @abc.abstractmethod
    def read(self, one_by_one: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        """Read the stream, or pass on the records as the SDK reads them one by one."""

    @property
    def limited(self) -> bool:
        """Whether only a few records are wanted, as when the connection is tested."""
        return self.ABORT_AT_RECORD_COUNT is not None

    def write_schema(self) -> None:
        """Write the SCHEMA message, once."""
        if not self._schema_written:
            self._schema_written = True
            super()._write_schema_message()

    @override
    def _write_schema_message(self) -> None:
        self.write_schema()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        one_by_one = super()._sync_records(context, write_messages=write_messages)
        yield from self.read(one_by_one)


class PreparedTap(Tap):
    """A tap that prepares its run before its first message."""

    @abc.abstractmethod
    def begin(self) -> None:
        """Prepare the run."""

    @override
    def _reset_state_progress_markers(self) -> None:
        # `sync_all` is final, and this the first of its calls; the next one writes the state.
        self.begin()
        super()._reset_state_progress_markers()
