"""Read the input: check its messages and pass records, schemas and states on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_amplitude.input.messages import ABSENT, Message, decode_messages, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_amplitude.history.counts import CountsByStream, StreamCounts
    from target_amplitude.input.stream_maps import StreamMaps
    from target_amplitude.sinks.converter import RecordConverter


class _Stream:
    """What the SCHEMA message of a stream says."""

    __slots__ = ("counts", "is_mapped", "keys", "name", "separator")

    def __init__(self, name: str, counts: StreamCounts) -> None:
        self.name = name
        self.counts = counts
        self.keys: tuple[str, ...] = ()
        self.is_mapped = False
        self.separator: str | None = None


class InputReader:
    """Reads blocks of lines and passes each record on to the converter."""

    def __init__(
        self,
        converter: RecordConverter,
        counts: CountsByStream,
        stream_maps: StreamMaps | None,
        is_own_reject: Callable[[msgspec.Raw], bool] | None,
    ) -> None:
        """Prepare to read.

        `is_own_reject` tells by the reason beside a record whether this run has rejected it, where
        the run writes rejects.
        """
        self._converter = converter
        self._counts = counts
        self._stream_maps = stream_maps
        self._is_own_reject = is_own_reject
        self._streams: dict[str, _Stream] = {}
        self._line = 1
        self._message_counts = {"SCHEMA": 0, "STATE": 0, "ACTIVATE_VERSION": 0}
        self._handlers: dict[str, Callable[[Message, bytes, int], None]] = {
            "SCHEMA": self._read_schema,
            "STATE": self._read_state,
            "ACTIVATE_VERSION": self._read_activate_version,
        }

    @property
    def message_counts(self) -> dict[str, int]:
        """The number of messages by type; records are counted as stream maps made them."""
        return {"RECORD": self._converter.records} | self._message_counts

    def read(self, block: bytes) -> None:
        """Read a block of whole lines.

        Raises:
            InvalidInputLine: At a line that is no Singer message.
            MissingKeyPropertiesError: At a record without one of its key properties.
            RecordsWithoutSchemaException: At a record whose stream has no schema yet.
            MapExpressionError: At a record for which a stream map fails.
            RunFailedError: If the run has failed meanwhile.
        """
        self._converter.begin_block()
        try:
            self._read_messages(block)
        except BaseException:
            self._converter.hand_over()
            raise
        self._converter.end_block()

    def finish(self) -> None:
        """Hand over the last records; to be called when no further block follows.

        Raises:
            RunFailedError: If the run has failed meanwhile.
        """
        self._converter.hand_over()

    def _read_messages(self, block: bytes) -> None:
        add = self._converter.add
        streams: dict[str | None, _Stream] = self._streams  # type: ignore[assignment]
        lines = split_lines(block)
        first = self._line
        self._line += len(lines)
        for number, line, message in decode_messages(block, lines, first):
            if message.type != "RECORD":
                self._handlers.get(message.type, _refuse_message)(message, line, number)
                self._message_counts[message.type] += 1
                continue
            record, stream = message.record, streams.get(message.stream)
            if (
                stream is None
                or record is None
                or stream.is_mapped
                or message.rejected is not ABSENT
            ):
                self._read_record(message, line, number)
                continue
            # Nearly all records; in place, since each call costs one part in a hundred.
            for key in stream.keys:
                if key not in record:
                    raise _missing_key(key, number)
            add(record, stream.name, stream.counts, line, stream.separator)

    def _read_record(self, message: Message, line: bytes, number: int) -> None:
        record = message.record
        stream = self._streams.get(message.stream or "")
        if record is None or message.stream is None:
            raise InvalidInputLine(f"Line {number} of the input is a RECORD without its record.")
        if stream is None:
            raise RecordsWithoutSchemaException(
                f"Line {number} of the input is a record of a stream without a SCHEMA before it; "
                "check the tap's output.",
            )
        is_own_reject = self._is_own_reject
        if is_own_reject and message.rejected is not ABSENT and is_own_reject(message.rejected):
            return
        if stream.is_mapped and self._stream_maps is not None:
            for mapped in self._stream_maps.apply(stream.name, record, number):
                counts = self._counts[mapped.stream]
                if mapped.record is None:
                    self._converter.skip(counts)
                else:
                    _check_keys(mapped.record, mapped.keys, number)
                    self._converter.add(mapped.record, stream.name, counts, line, mapped.separator)
        else:
            _check_keys(record, stream.keys, number)
            self._converter.add(record, stream.name, stream.counts, line, stream.separator)

    def _read_schema(self, message: Message, line: bytes, number: int) -> None:
        name = message.stream
        try:
            schema = msgspec.json.decode(bytes(message.schema))
        except msgspec.MsgspecError:
            schema = None
        if (
            not name
            or not isinstance(schema, dict)
            or not isinstance(schema.get("properties"), dict)
        ):
            raise InvalidInputLine(
                f"Line {number} of the input is a SCHEMA message without stream or properties; "
                "check the tap's output.",
            )
        stream = self._streams.setdefault(name, _Stream(name, self._counts[name]))
        stream.keys = tuple(message.key_properties or ())
        stream.separator = self._converter.find_separator(schema["properties"])
        self._converter.add_schema(name, line)
        if self._stream_maps is not None:
            self._stream_maps.add_schema(
                name, schema, message.key_properties, self._converter.find_separator
            )
            stream.is_mapped = True

    def _read_state(self, message: Message, line: bytes, number: int) -> None:
        del line
        if message.value is ABSENT:
            raise InvalidInputLine(f"Line {number} of the input is a STATE without its value.")
        self._converter.close_checkpoint(bytes(message.value))

    def _read_activate_version(self, message: Message, line: bytes, number: int) -> None:
        """Do nothing: Amplitude's events cannot be replaced by a newer version of a table."""


def _refuse_message(message: Message, line: bytes, number: int) -> None:
    del message, line
    raise InvalidInputLine(
        f"Line {number} of the input is a message of a type that this target does not take; "
        "what came before it was delivered.",
    )


def _check_keys(record: dict[str, Any], keys: tuple[str, ...], number: int) -> None:
    for key in keys:
        if key not in record:
            raise _missing_key(key, number)


def _missing_key(key: str, number: int) -> MissingKeyPropertiesError:
    return MissingKeyPropertiesError(
        f"Line {number} of the input is a record without its key property {key}; "
        "check the tap's output.",
    )
