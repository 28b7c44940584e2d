"""RECORD messages as lines of JSON."""

from __future__ import annotations

from typing import Any

import msgspec

Record = dict[str, Any]
"""A record as Singer carries it."""


class _RecordMessage(msgspec.Struct, tag="RECORD", gc=False):
    """A RECORD message; the SDK builds its own field by field, at many times the cost."""

    stream: str
    record: Record
    time_extracted: str


_encoder = msgspec.json.Encoder()


def record_lines(stream: str, records: list[Record], time_extracted: str) -> bytes:
    """Encode records as lines of RECORD messages."""
    return _encoder.encode_lines(
        [_RecordMessage(stream, record, time_extracted) for record in records]
    )
