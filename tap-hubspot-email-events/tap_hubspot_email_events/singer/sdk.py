"""What the SDK's streams are used for, of whose private names these are all in use.

For them the minor version of singer-sdk is pinned.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_hubspot_email_events.common.stream_map_settings import MapError
from tap_hubspot_email_events.errors import StreamError

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


def record_messages(stream: SelfReadingStream, record: dict[str, Any]) -> list[RecordMessage]:
    """The messages the SDK itself would write for a record.

    Raises:
        StreamError: A stream map fails.
    """
    return list(stream._generate_record_messages(record))  # noqa: SLF001


class SelfReadingStream(Stream, abc.ABC):
    """A stream that may read, write and bookmark on its own instead of record by record."""

    dropped = 0
    """Records of which stream maps have left nothing."""

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
    def _generate_record_messages(
        self, record: dict[str, Any]
    ) -> Generator[RecordMessage, None, None]:
        is_dropped = True
        try:
            for message in super()._generate_record_messages(record):
                is_dropped = False
                yield message
        except MapError as error:
            raise StreamError(str(error)) from None
        self.dropped += is_dropped

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
