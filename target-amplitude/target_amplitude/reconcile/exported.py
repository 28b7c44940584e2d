"""The events of an export, read entry by entry and line by line."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class BrokenExportError(Exception):
    """An export that is no zip of gzipped lines of JSON, such as one that was cut."""


class ExportedEvent(msgspec.Struct, rename={"insert_id": "$insert_id"}):
    """What a comparison needs of an exported event."""

    event_type: str | None = None
    insert_id: str | None = None
    user_id: str | None = None
    device_id: str | None = None
    client_event_time: str | None = None
    event_time: str | None = None
    event_properties: msgspec.Raw = msgspec.Raw(b"")

    @property
    def times(self) -> list[int]:
        """When it happened, in ms: as sent, and as Amplitude corrected it where that differs."""
        given = (self.client_event_time, self.event_time)
        times = [parse_time(text) for text in dict.fromkeys(given) if text]
        return [time for time in times if time is not None]

    @property
    def portal(self) -> Any:
        """The HubSpot account it says it is of."""
        try:
            return msgspec.json.decode(self.event_properties, type=_Portal).portalId
        except msgspec.MsgspecError:
            return None


class _Portal(msgspec.Struct):
    portalId: Any = None  # noqa: N815 - HubSpot's name


def read_export(file: IO[bytes]) -> Iterator[ExportedEvent]:
    """Yield the events of an export.

    Raises:
        BrokenExportError: If it cannot be read to its end.
    """
    decode = msgspec.json.Decoder(ExportedEvent).decode
    try:
        with zipfile.ZipFile(file) as archive:
            # Before any event is counted, since a broken export is asked for again.
            if archive.testzip() is not None:
                raise BrokenExportError("checksum")
            for name in archive.namelist():
                if name.endswith("/"):
                    continue
                with archive.open(name) as entry, gzip.open(entry) as lines:
                    for line in lines:
                        if not line.isspace():
                            yield decode(line)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        gzip.BadGzipFile,
        msgspec.MsgspecError,
        UnicodeDecodeError,
        NotImplementedError,
    ) as error:
        raise BrokenExportError(type(error).__name__) from None


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
