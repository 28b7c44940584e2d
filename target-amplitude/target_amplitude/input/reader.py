"""Read the input: check its messages, and convert its records into blocks for the destination."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_amplitude.amplitude.transport import Transport
from target_amplitude.common.text import fit
from target_amplitude.delivery.block import Block, Campaign, QueuedEvent, Reject, by_stream
from target_amplitude.input.messages import (
    ABSENT,
    NO_REASON,
    Message,
    decode_messages,
    early_end,
    split_lines,
)
from target_amplitude.lookup_table.campaigns import campaign_row, is_campaign
from target_amplitude.lookup_table.upload import NO_SECRET_KEY
from target_amplitude.mapping.events import EventMapper
from target_amplitude.mapping.flattened import find_separator, unflatten
from target_amplitude.mapping.validation import INVALID_VALUE, NO_MAPPING, Refusal, Skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_amplitude.delivery.destination import Destination
    from target_amplitude.history.counts import CountsByStream, StreamCounts
    from target_amplitude.input.stream_maps import StreamMaps
    from target_amplitude.settings import Settings

_NOT_JSON = Refusal(INVALID_VALUE, "a value that JSON cannot carry")
_TOO_LARGE = Refusal("too large", "one event is larger than a request may be")
_FLUSH_BYTES = 1 << 20
"""Bytes of input to flush at a time, since each time takes the lock that senders need."""

_encode = msgspec.json.Encoder(decimal_format="number").encode

logger = logging.getLogger("target-amplitude")


@dataclass(slots=True)
class _Stream:
    """What the SCHEMA message of a stream says."""

    name: str
    counts: StreamCounts
    keys: tuple[str, ...] = ()
    separator: str | None = None


class InputReader:
    """Makes of each record an event, a reject or a campaign, or skips it."""

    def __init__(
        self,
        settings: Settings,
        destination: Destination,
        counts: CountsByStream,
        stream_maps: StreamMaps | None,
        is_own_reject: Callable[[msgspec.Raw], bool],
    ) -> None:
        """Prepare to read.

        `is_own_reject` tells by the reason beside a record whether this run has rejected it.
        """
        self._settings = settings
        self._destination = destination
        self._counts = counts
        self._stream_maps = stream_maps
        self._is_own_reject = is_own_reject
        self._mapper = EventMapper(settings)
        self._wanted = (
            settings.user_field,
            *settings.user_property_fields.values(),
            *settings.group_fields.values(),
        )
        self._max_bytes = Transport.max_event_bytes(settings)
        self._streams: dict[str, _Stream] = {}
        self._warned_of: set[str] = set()
        self._block = Block()
        self._unflushed = 0
        self._last_state: bytes | None = None
        self._now = 0
        self._line = 1
        self._records = 0
        self._message_counts = {"SCHEMA": 0, "STATE": 0, "ACTIVATE_VERSION": 0}

    @property
    def message_counts(self) -> dict[str, int]:
        """The number of messages by type; records are counted as stream maps made them."""
        return {"RECORD": self._records} | self._message_counts

    @property
    def early_end(self) -> str | None:
        """Why the input ended early, if it did: without a message, or by its last state."""
        if not any(self.message_counts.values()):
            return NO_REASON
        return None if self._last_state is None else early_end(self._last_state)

    def read(self, lines: bytes) -> None:
        """Read whole lines.

        Raises:
            InvalidInputLine: At a line that is no Singer message.
            MissingKeyPropertiesError: At a record without one of its key properties.
            RecordsWithoutSchemaException: At a record whose stream has no schema yet.
            MapError: At a record for which a stream map fails, or a schema that it does not fit.
            RunFailedError: If the run has failed meanwhile.
        """
        self._now = int(time.time() * 1000)
        try:
            self._read_messages(lines)
        except BaseException:
            self.flush()
            raise
        self._unflushed += len(lines)
        if self._unflushed >= _FLUSH_BYTES:
            self.flush()

    def finish(self) -> None:
        """Pass on the rest, at the end of the input.

        Raises:
            MapError: A stream map matched no stream.
            RunFailedError: If the run has failed meanwhile.
        """
        self.flush()
        if self._stream_maps is not None:
            self._stream_maps.check_matched()

    def warnings(self) -> Iterator[str]:
        """Say which stream maps dropped every record they got, and which fields had no value."""
        if self._stream_maps is not None:
            yield from self._stream_maps.warnings()
        emails = sum(counts.events for counts in self._counts.values() if counts.has_emails)
        yield from self._mapper.traits.warnings(emails)

    def flush(self) -> None:
        """Pass on what was read.

        Raises:
            RunFailedError: If the run has failed meanwhile.
        """
        block = self._block
        self._unflushed = 0
        if not block.records and block.state is None:
            return
        self._block = Block()
        self._records += block.records
        for counts, events in by_stream(block.events):
            times = [time for event in events if (time := event.time) is not None]
            counts.add_events([event.user for event in events], times)
        self._destination.add(block)

    def _read_messages(self, block: bytes) -> None:
        lines = split_lines(block)
        first = self._line
        self._line += len(lines)
        for number, line, message in decode_messages(block, lines, first):
            if message.type == "RECORD":
                self._read_record(message, line, number)
            else:
                self._read_other(message, line, number)
                self._message_counts[message.type] += 1

    def _read_other(self, message: Message, line: bytes, number: int) -> None:
        match message.type:
            case "SCHEMA":
                self._read_schema(message, line, number)
            case "STATE":
                self._read_state(message, number)
            case "ACTIVATE_VERSION":
                pass  # Amplitude's events cannot be replaced by a newer version of a table.
            case _:
                raise InvalidInputLine(
                    f"Line {number} of the input is a message of a type that this target does not "
                    "take; what came before it was delivered.",
                )

    def _read_record(self, message: Message, line: bytes, number: int) -> None:
        record = message.record
        if record is None or message.stream is None:
            raise InvalidInputLine(f"Line {number} of the input is a RECORD without its record.")
        stream = self._streams.get(message.stream)
        if stream is None:
            raise RecordsWithoutSchemaException(
                f"Line {number} of the input is a record of a stream without a SCHEMA before it; "
                "check the tap's output.",
            )
        is_replay = message.rejected is not ABSENT
        if is_replay and self._is_own_reject(message.rejected):
            return
        if self._stream_maps is not None:
            self._stream_maps.is_replay |= is_replay
            maps = self._stream_maps.apply(stream.name, record, number)
            for alias, mapped, keys, separator in maps:
                counts = self._counts[alias]
                if mapped is None:
                    self._skip(counts)
                else:
                    _check_keys(mapped, keys, number)
                    self._convert(mapped, stream.name, counts, line, separator)
        else:
            _check_keys(record, stream.keys, number)
            self._convert(record, stream.name, stream.counts, line, stream.separator)

    def _convert(
        self,
        record: dict[str, Any],
        stream: str,
        counts: StreamCounts,
        line: bytes,
        separator: str | None,
    ) -> None:
        """Convert a record of a stream, which came in this line.

        `counts` are those of the stream that a stream map may have renamed it to; `separator` is
        what the names of the stream are flattened with.
        """
        if separator is not None and "event_type" not in record:
            record = unflatten(record, separator, *self._wanted)
        event = self._map(record)
        if unusable := self._mapper.unusable:
            counts.unusable_ids[unusable] += 1
        if not counts.has_emails and event is not NO_MAPPING:
            counts.has_emails = "event_type" not in record
        if isinstance(event, dict):
            try:
                body = _encode(event)
            except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):
                self._reject(_NOT_JSON, counts, line)
                return
            if len(body) >= self._max_bytes:
                self._reject(_TOO_LARGE, counts, line)
                return
            device = event.get("device_id", "")
            user = event.get("user_id") or device
            self._block.events.append(
                QueuedEvent(body, line, counts, user, device, event.get("time")),
            )
            counts.fell_back += self._mapper.fell_back
        elif event is NO_MAPPING and is_campaign(counts.stream, record):
            self._add_campaign(record, stream, counts, line)
        elif isinstance(event, Skip):
            self._skip(counts)
        else:
            self._reject(event, counts, line)
            if event is NO_MAPPING and self._is_first_of(stream):
                kept = f"written to {self._settings.rejected_path}"
                logger.warning(
                    "Stream %s has no mapping to events, so its records are %s; leave it out in "
                    "the tap, or give its records event_type, user_id, time and insert_id with "
                    "stream_maps.",
                    fit(stream),
                    "not sent" if self._settings.dry_run else kept,
                )

    def _map(self, record: dict[str, Any]) -> dict[str, Any] | Refusal | Skip:
        try:
            return self._mapper.map(record, self._now)
        except UnicodeError:  # half of a surrogate pair, which JSON may write as `\ud800`
            return _NOT_JSON

    def _skip(self, counts: StreamCounts) -> None:
        counts.read += 1
        counts.skipped += 1
        self._block.skipped += 1

    def _reject(self, refusal: Refusal, counts: StreamCounts, line: bytes) -> None:
        counts.read += 1
        self._block.rejects.append(
            Reject(line, refusal.reason, refusal.detail, "", counts, counted=refusal.counted),
        )

    def _add_campaign(
        self, record: dict[str, Any], stream: str, counts: StreamCounts, line: bytes
    ) -> None:
        if self._settings.secret_key:
            counts.read += 1
            self._block.campaigns.append(Campaign(*campaign_row(record), line, counts))
            return
        self._reject(NO_SECRET_KEY, counts, line)
        if not self._settings.dry_run and self._is_first_of(stream):
            logger.warning(
                "Stream %s describes emails; its records are written to %s, since only with "
                "secret_key can they be uploaded as a lookup table.",
                fit(counts.stream),
                self._settings.rejected_path,
            )

    def _is_first_of(self, stream: str) -> bool:
        is_first = stream not in self._warned_of
        self._warned_of.add(stream)
        return is_first

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
        stream.separator = self._find_separator(schema["properties"])
        self.flush()
        self._block.schemas[name] = line
        if self._stream_maps is not None:
            self._stream_maps.add_schema(name, schema, message.key_properties, self._find_separator)

    def _find_separator(self, names: Iterable[str]) -> str | None:
        return find_separator(names, *self._wanted)

    def _read_state(self, message: Message, number: int) -> None:
        if message.value is ABSENT:
            raise InvalidInputLine(f"Line {number} of the input is a STATE without its value.")
        self._block.state = self._last_state = bytes(message.value)
        self.flush()


def _check_keys(record: dict[str, Any], keys: tuple[str, ...], number: int) -> None:
    for key in keys:
        if key not in record:
            raise MissingKeyPropertiesError(
                f"Line {number} of the input is a record without its key property {fit(key)}; "
                "check the tap's output.",
            )
