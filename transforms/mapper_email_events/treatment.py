"""What becomes of each line: treated, left out, held back, or passed on as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mapper_email_events.drop_bots import drop_bots
from mapper_email_events.email_event import Record
from mapper_email_events.engagement_only import engagement_only
from mapper_email_events.errors import MapperError, UntreatableError
from mapper_email_events.messages import decode, encode
from mapper_email_events.pseudonymise import Pseudonymise
from mapper_email_events.strip_urls import strip_urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mapper_email_events.stream_maps import StreamMaps

Transform = Callable[[Record], Record | None]

TRANSFORMS: dict[str, Callable[[], Transform]] = {
    "drop-bots": lambda: drop_bots,
    "engagement-only": lambda: engagement_only,
    "pseudonymise": Pseudonymise.from_environment,
    "strip-urls": lambda: strip_urls,
}


class Treatment:
    """Applies transforms to every record, in their order, and stream maps to what they leave."""

    def __init__(self, transforms: Sequence[Transform], stream_maps: StreamMaps | None) -> None:
        """Start with nothing counted."""
        self._transforms = transforms
        self._stream_maps = stream_maps
        self._line = 0
        self.read: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self.held: Counter[tuple[str, str]] = Counter()

    def lines(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The lines to pass on.

        Raises:
            MapperError: A line cannot be treated at all.
        """
        for line in lines:
            self._line += 1
            if line.strip():
                yield from self._line_for(line)

    def _line_for(self, line: bytes) -> Iterator[bytes]:
        message = decode(line, self._line)
        kind = message["type"]
        if kind == "BATCH":
            raise MapperError(
                f"Line {self._line} of the input is a BATCH message, whose records are in files "
                "that this mapper does not read; switch batches off in the tap."
            )
        if kind == "RECORD" or "record" in message:
            for treated in self._records(message):
                yield encode(treated)
        elif kind == "SCHEMA" and self._stream_maps is not None:
            for schema in self._stream_maps.schemas(message, self._line):
                yield encode(schema)
        else:
            yield line

    def _records(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        stream, record = str(message.get("stream")), message.get("record")
        if not isinstance(record, dict):
            raise MapperError(
                f"Line {self._line} of the input is a record of no known form; "
                "check the tap's output."
            )
        self.read[stream] += 1
        try:
            for transform in self._transforms:
                treated = transform(record)
                if treated is None:
                    return
                record = treated
        except UntreatableError as reason:
            self.held[stream, str(reason)] += 1
            return
        message["record"] = record
        if self._stream_maps is None:
            self.passed[stream] += 1
            yield message
            return
        for mapped in self._stream_maps.records(message, self._line):
            self.passed[stream] += 1
            yield mapped
