"""From lines to events: what each Singer message becomes, a block of lines at a time."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.exceptions import (
    MapExpressionError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery.queue import Item
from target_amplitude.delivery.rejects import Reject
from target_amplitude.history.counts import StreamTally, by_tally
from target_amplitude.input.messages import NOTHING, Message, encode, read_messages, split_lines
from target_amplitude.lookup_table.campaigns import is_campaign
from target_amplitude.mapping import EventMapper, Refusal, Skip
from target_amplitude.mapping.outcome import NO_MAPPING
from target_amplitude.mapping.validation import INVALID_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.mapper import PluginMapper

    from target_amplitude.settings import Settings
    from target_amplitude.sinks.sink import Outlet

TOO_LARGE = Refusal("too large", "one event is larger than a request may be")
_PIECE = 1000

logger = logging.getLogger("target-amplitude")


class _Stream:
    """What is known of a stream since its SCHEMA message."""

    __slots__ = ("is_mapped", "keys", "name", "schema", "tally")

    def __init__(self, name: str, tally: StreamTally) -> None:
        self.name = name
        self.tally = tally
        self.keys: tuple[str, ...] = ()
        self.schema = b""
        self.is_mapped = False


class Intake:
    """Turns input into events for the outlet and keeps the books of what was read."""

    def __init__(self, settings: Settings, outlet: Outlet, mapper: PluginMapper | None) -> None:
        """Prepare to read; `mapper` is the SDK's, given where stream maps or flattening are set."""
        self._settings = settings
        self._outlet = outlet
        self._mapper = mapper
        self._events = EventMapper(settings)
        self._to_event = self._events.map
        self._sees_types = settings.dry_run
        self._room = Transport.room(settings)
        self._streams: dict[str, _Stream] = {}
        self._named: set[str] = set()
        self._line = 1
        self._now = 0
        self._items: list[Item] = []
        self._rejects: list[Reject] = []
        # Records that need no delivery, and campaigns, which are delivered in another way.
        self._settled = 0
        self._kept = 0
        self.tallies: dict[str, StreamTally] = {}
        self.counts: dict[str, int] = {"RECORD": 0, "SCHEMA": 0, "STATE": 0, "ACTIVATE_VERSION": 0}
        self._handlers: dict[str, Callable[[Message, bytes, int], None]] = {
            "SCHEMA": self._schema,
            "STATE": self._state,
            "ACTIVATE_VERSION": self._activate_version,
        }

    def read(self, block: bytes) -> None:
        """Take a block of whole lines; its last records may wait for the next block.

        Raises:
            InvalidInputLine: At a line that is no Singer message.
            MissingKeyPropertiesError: At a record without one of its key properties.
            RecordsWithoutSchemaException: At a record whose stream has no schema yet.
            RunFailedError: If the run has failed meanwhile.
        """
        self._now = int(time.time() * 1000)
        streams: dict[str | None, _Stream] = self._streams  # type: ignore[assignment]
        lines = split_lines(block)
        first = self._line
        self._line += len(lines)
        try:
            for number, line, message in read_messages(block, lines, first):
                if message.type != "RECORD":
                    self._handlers.get(message.type, self._unknown)(message, line, number)
                    self.counts[message.type] += 1
                    continue
                record, stream = message.record, streams.get(message.stream)
                if (
                    stream is None
                    or record is None
                    or stream.is_mapped
                    or message.rejected is not NOTHING
                ):
                    self._record(message, line, number)
                else:
                    self._take(record, stream, line, number)
        except BaseException:
            self.hand_over()
            raise
        if len(self._items) + self._settled >= _PIECE:
            self.hand_over()

    def hand_over(self) -> None:
        """Let the outlet have what was read of late; needed once no further block follows."""
        items, rejects, settled = self._items, self._rejects, self._settled
        opened = len(items) + settled + self._kept
        if opened:
            self.counts["RECORD"] += opened
            self._items, self._rejects = [], []
            self._settled = self._kept = 0
            for tally, run in by_tally(items):
                tally.see(run)
            self._outlet.add(items, rejects, settled, opened)

    def _record(self, message: Message, line: bytes, number: int) -> None:
        record = message.record
        stream = self._streams.get(message.stream or "")
        if record is None or message.stream is None:
            raise InvalidInputLine(f"Line {number} of the input is a RECORD without its record.")
        if stream is None:
            raise RecordsWithoutSchemaException(
                f"Line {number} of the input is a record of a stream without a SCHEMA before it; "
                "check the tap's output.",
            )
        if message.rejected is not NOTHING and self._outlet.is_own_reject(message.rejected):
            return
        if not stream.is_mapped:
            self._take(record, stream, line, number)
            return
        for stream_map in self._sdk_mapper.stream_maps[stream.name]:
            try:
                transformed = stream_map.transform(dict(record))
            except Exception as failure:  # noqa: BLE001 - whatever a user's expression raises
                raise MapExpressionError(
                    f"The stream map of {stream.name} fails with {type(failure).__name__} at line "
                    f"{number} of the input; mend its expressions in stream_maps.",
                ) from None
            alias = stream_map.stream_alias
            tally = self._tally(alias)
            if transformed is None:
                tally.read += 1
                tally.skipped += 1
                self._settled += 1
                continue
            target = _Stream(stream.name, tally)
            target.keys = tuple(stream_map.transformed_key_properties or ())
            self._take(transformed, target, line, number)

    @property
    def _sdk_mapper(self) -> PluginMapper:
        assert self._mapper is not None  # noqa: S101 - streams are mapped only where it is given
        return self._mapper

    def _take(self, record: dict[str, Any], stream: _Stream, line: bytes, number: int) -> None:
        for key in stream.keys:
            if key not in record:
                raise MissingKeyPropertiesError(
                    f"Line {number} of the input is a record without its key property {key}; "
                    "check the tap's output.",
                )
        tally = stream.tally
        event = self._to_event(record, self._now)
        if type(event) is dict:
            try:
                body = encode(event)
            except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):
                event = Refusal(INVALID_VALUE, "a value that JSON cannot carry")
            else:
                size = len(body)
                if size < self._room:
                    device = event.get("device_id", "")
                    user = event.get("user_id") or device
                    weight, epoch, at = size + len(line), self._outlet.epoch, event.get("time")
                    self._items.append(Item(body, line, weight, tally, epoch, user, device, at))
                    tally.fell_back += self._events.fell_back
                    if self._sees_types:
                        self._outlet.see(event["event_type"], user)
                    return
                event = TOO_LARGE
        tally.read += 1
        if event is NO_MAPPING and is_campaign(tally.stream, record):
            self._keep_campaign(record, stream, line)
            return
        self._settled += 1
        if type(event) is Skip:
            tally.skipped += 1
            return
        self._refuse(event, stream, line)  # type: ignore[arg-type]

    def _keep_campaign(self, record: dict[str, Any], stream: _Stream, line: bytes) -> None:
        refusal = self._outlet.campaign(record, line, stream.tally)
        if refusal is None:
            self._kept += 1
        else:
            self._settled += 1
            self._refuse(refusal, stream, line)

    def _refuse(self, refusal: Refusal, stream: _Stream, line: bytes) -> None:
        self._rejects.append(
            Reject(line, refusal.reason, refusal.detail, "", stream.tally, counted=refusal.counted),
        )
        if refusal is NO_MAPPING and stream.name not in self._named:
            self._named.add(stream.name)
            logger.warning(
                "Stream %s has no mapping to events, so its records are kept aside in %s; leave it "
                "out in the tap, or give its records event_type, user_id, time and insert_id with "
                "stream_maps.",
                stream.name,
                self._settings.rejected_path,
            )

    def _schema(self, message: Message, line: bytes, number: int) -> None:
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
        self.hand_over()
        stream = self._streams.setdefault(name, _Stream(name, self._tally(name)))
        stream.keys = tuple(message.key_properties or ())
        stream.schema = line
        self._outlet.schema(name, line)
        if self._mapper is not None:
            self._mapper.register_raw_stream_schema(name, schema, message.key_properties)
            stream.is_mapped = True

    def _state(self, message: Message, line: bytes, number: int) -> None:
        del line
        if message.value is NOTHING:
            raise InvalidInputLine(f"Line {number} of the input is a STATE without its value.")
        self.hand_over()
        self._outlet.close_epoch(bytes(message.value))

    def _activate_version(self, message: Message, line: bytes, number: int) -> None:
        """Amplitude's events cannot be replaced, so there is nothing to activate."""

    def _unknown(self, message: Message, line: bytes, number: int) -> None:
        del message, line
        raise InvalidInputLine(
            f"Line {number} of the input is a message of a type that this target does not take; "
            "what came before it was delivered.",
        )

    def _tally(self, name: str) -> StreamTally:
        tally = self.tallies.get(name)
        if tally is None:
            tally = self.tallies[name] = StreamTally(name, time.monotonic())
        return tally
