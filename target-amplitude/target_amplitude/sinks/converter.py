"""Convert records into queued events and hand them to the sink."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec

from target_amplitude.amplitude.transport import Transport
from target_amplitude.delivery.queued_event import QueuedEvent, by_stream
from target_amplitude.delivery.rejects import Reject
from target_amplitude.lookup_table.campaigns import is_campaign
from target_amplitude.mapping.events import EventMapper
from target_amplitude.mapping.flattened import find_separator, unflatten
from target_amplitude.mapping.outcome import NO_MAPPING, Refusal, Skip
from target_amplitude.mapping.validation import INVALID_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_amplitude.history.counts import StreamCounts
    from target_amplitude.settings import Settings
    from target_amplitude.sinks.sink import Sink

_NOT_JSON = Refusal(INVALID_VALUE, "a value that JSON cannot carry")
_TOO_LARGE = Refusal("too large", "one event is larger than a request may be")
_MIN_RECORDS = 1000
"""Records to hand over at a time, since each time takes the lock that senders need."""

_encode = msgspec.json.Encoder(decimal_format="number").encode

logger = logging.getLogger("target-amplitude")


class RecordConverter:
    """Makes of each record a queued event, a reject or a campaign, or skips it.

    Attributes:
        records: Number of records handed over.
    """

    def __init__(self, settings: Settings, sink: Sink, *, warns: bool = True) -> None:
        """Convert by the settings, for this sink; `warns` of streams without a mapping."""
        self._warns = warns
        self._settings = settings
        self._sink = sink
        self._mapper = EventMapper(settings)
        self._map = self._mapper.map
        self._max_bytes = Transport.max_event_bytes(settings)
        self._counts_users = settings.dry_run
        self._unmapped_streams: set[str] = set()
        self._now = 0
        self._events: list[QueuedEvent] = []
        self._rejects: list[Reject] = []
        self._settled = 0
        self._campaigns = 0
        self.records = 0

    def begin_block(self) -> None:
        """Read the clock once for the records of a block."""
        self._now = int(time.time() * 1000)

    def end_block(self) -> None:
        """Hand over what was converted, unless it is too little.

        Raises:
            RunFailedError: If the run has failed meanwhile.
        """
        if len(self._events) + self._settled >= _MIN_RECORDS:
            self.hand_over()

    def find_separator(self, names: Iterable[str]) -> str | None:
        """Return what the names of a schema are flattened with, or None."""
        return find_separator(names, self._settings.user_field)

    def add(
        self,
        record: dict[str, Any],
        stream: str,
        counts: StreamCounts,
        line: bytes,
        separator: str | None = None,
    ) -> None:
        """Convert a record of a stream, which came in this line.

        `counts` are those of the stream that a stream map may have renamed it to; `separator` is
        what the names of the stream are flattened with.
        """
        if separator is not None and "event_type" not in record:
            record = unflatten(record, separator, self._settings.user_field)
        event = self._map(record, self._now)
        if not counts.has_emails and event is not NO_MAPPING:
            counts.has_emails = "event_type" not in record
        if type(event) is dict:
            try:
                body = _encode(event)
            except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):
                event = _NOT_JSON
            else:
                size = len(body)
                if size < self._max_bytes:
                    device = event.get("device_id", "")
                    user = event.get("user_id") or device
                    memory, checkpoint = size + len(line), self._sink.checkpoint
                    at = event.get("time")
                    self._events.append(
                        QueuedEvent(body, line, memory, counts, checkpoint, user, device, at),
                    )
                    counts.fell_back += self._mapper.fell_back
                    if self._counts_users:
                        self._sink.count_user(event["event_type"], user)
                    return
                event = _TOO_LARGE
        if event is NO_MAPPING and is_campaign(counts.stream, record):
            self._add_campaign(record, stream, counts, line)
        elif type(event) is Skip:
            self.skip(counts)
        else:
            self._reject(event, stream, counts, line)  # type: ignore[arg-type]

    def skip(self, counts: StreamCounts) -> None:
        """Count a record that a setting or a stream map leaves out."""
        counts.read += 1
        counts.skipped += 1
        self._settled += 1

    def add_schema(self, stream: str, line: bytes) -> None:
        """Pass a SCHEMA message on, after the records before it.

        Raises:
            RunFailedError: If the run has failed meanwhile.
        """
        self.hand_over()
        self._sink.add_schema(stream, line)

    def close_checkpoint(self, state: bytes) -> None:
        """Pass a state on, after the records that it covers.

        Raises:
            RunFailedError: If the run has failed meanwhile.
        """
        self.hand_over()
        self._sink.close_checkpoint(state)

    def hand_over(self) -> None:
        """Hand over what was converted.

        Raises:
            RunFailedError: If the run has failed meanwhile.
        """
        events, rejects, settled = self._events, self._rejects, self._settled
        opened = len(events) + settled + self._campaigns
        if opened:
            self.records += opened
            self._events, self._rejects = [], []
            self._settled = self._campaigns = 0
            for counts, group in by_stream(events):
                times = [time for event in group if (time := event.time) is not None]
                counts.add_events([event.user for event in group], times)
            self._sink.add(events, rejects, settled, opened)

    def _add_campaign(
        self, record: dict[str, Any], stream: str, counts: StreamCounts, line: bytes
    ) -> None:
        refusal = self._sink.add_campaign(record, line, counts)
        if refusal is None:
            counts.read += 1
            self._campaigns += 1
        else:
            self._reject(refusal, stream, counts, line)

    def _reject(self, refusal: Refusal, stream: str, counts: StreamCounts, line: bytes) -> None:
        counts.read += 1
        self._settled += 1
        self._rejects.append(
            Reject(line, refusal.reason, refusal.detail, "", counts, counted=refusal.counted),
        )
        if refusal is NO_MAPPING and self._warns and stream not in self._unmapped_streams:
            self._unmapped_streams.add(stream)
            logger.warning(
                "Stream %s has no mapping to events, so its records are written to %s; leave it "
                "out in the tap, or give its records event_type, user_id, time and insert_id with "
                "stream_maps.",
                stream,
                self._settings.rejected_path,
            )
