"""The events of an export, and how an event is told from another."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

import msgspec

from target_amplitude.input.lines import MAX_LINE_BYTES
from target_amplitude.reconcile.archive import BrokenExportError, read_lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNREADABLE: dict[type[Exception], str] = {
    msgspec.ValidationError: "with a value of another type",
    msgspec.DecodeError: "not JSON",
    UnicodeDecodeError: "not UTF-8",
    RecursionError: "nested too deep",
}


class _Properties(msgspec.Struct):
    portalId: Any = None  # noqa: N815 - HubSpot's name


class Event(msgspec.Struct):
    """What a comparison needs of an event, whether it was read or exported."""

    event_type: str = ""
    user_id: str | None = None
    device_id: str | None = None
    event_properties: _Properties | None = None

    @property
    def portal(self) -> int | None:
        """A number for the HubSpot account that it names, if it names one."""
        named = self.event_properties and self.event_properties.portalId
        return hash(named) if isinstance(named, (int, str)) else None

    def content(self, time: int | None) -> bytes:
        """Return what another source's event of the same has in common with it."""
        return f"\0{self.event_type}\0{self.user_id or self.device_id or ''}\0{time}".encode()


class ExportedEvent(Event):
    """An event as Amplitude exports it."""

    insert_id: str | None = msgspec.field(default=None, name="$insert_id")
    client_event_time: str | None = None
    event_time: str | None = None

    @property
    def times(self) -> list[int]:
        """When it happened, in ms: as sent, and as Amplitude corrected it where that differs."""
        given = (self.client_event_time, self.event_time)
        times = [parse_time(text) for text in dict.fromkeys(given) if text]
        return [time for time in times if time is not None]


_decode = msgspec.json.Decoder(ExportedEvent).decode


def read_export(file: IO[bytes], unreadable: Counter[str]) -> Iterator[ExportedEvent]:
    """Yield the events of an export; lines that are none are counted by what is wrong with them.

    Raises:
        BrokenExportError: Before the first event, if the export cannot be read to its end, or at
            its end, if none of its lines is an event.
    """
    has_events = False
    for line in read_lines(file):
        event = _event(line)
        if isinstance(event, str):
            unreadable[event] += 1
        else:
            has_events = True
            yield event
    if unreadable and not has_events:
        raise BrokenExportError("no events")


def _event(line: bytes) -> ExportedEvent | str:
    """Return the event of a line, or what is wrong with it."""
    if len(line) >= MAX_LINE_BYTES:
        return "longer than any event"
    try:
        return _decode(line)
    except tuple(_UNREADABLE) as error:
        return next(words for kind, words in _UNREADABLE.items() if isinstance(error, kind))


def parse_time(text: str) -> int | None:
    """Parse a time as Amplitude exports it, UTC without saying so, to milliseconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    # Whole numbers, since a float would lose the last millisecond of some.
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + (since.microseconds + 500) // 1000
