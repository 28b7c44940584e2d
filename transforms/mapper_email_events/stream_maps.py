"""The SDK's stream maps, for what needs no code of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import RemoveRecordTransform

from mapper_email_events.common.errors import UserError
from mapper_email_events.common.stream_map_settings import MapError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mapper_email_events.common.stream_maps import CheckedMapper

Message = dict[str, Any]


class StreamMaps:
    """Applies stream maps to SCHEMA and RECORD messages."""

    def __init__(self, mapper: CheckedMapper) -> None:
        """Take the mapper, configured."""
        self._mapper = mapper

    def schemas(self, message: Message, number: int) -> Iterator[Message]:
        """The SCHEMA messages of what the maps make of a stream.

        Raises:
            UserError: The maps do not fit the stream.
        """
        stream, schema = message.get("stream"), message.get("schema")
        if not isinstance(stream, str) or not isinstance(schema, dict):
            raise UserError(
                f"Line {number} of the input is a SCHEMA message without stream or schema; "
                "check the tap's output."
            )
        try:
            self._mapper.register_raw_stream_schema(stream, schema, message.get("key_properties"))
        except MapError as failure:
            raise UserError(f"Line {number} of the input: {failure}") from None
        for stream_map in self._mapper.stream_maps[stream]:
            if not isinstance(stream_map, RemoveRecordTransform):
                yield {
                    **message,
                    "stream": stream_map.stream_alias,
                    "schema": stream_map.transformed_schema,
                    "key_properties": list(stream_map.transformed_key_properties or ()),
                }

    def records(self, message: Message, number: int) -> Iterator[Message]:
        """The RECORD messages that the maps make of one.

        Raises:
            UserError: An expression fails, or the stream has no SCHEMA yet.
        """
        stream = message.get("stream")
        stream_maps = self._mapper.stream_maps.get(stream) if isinstance(stream, str) else None
        if stream_maps is None:
            raise UserError(
                f"Line {number} of the input is a record without a SCHEMA before it; "
                "check the tap's output."
            )
        for stream_map in stream_maps:
            try:
                record = stream_map.transform(dict(message["record"]))
            except MapError as failure:
                raise UserError(f"Line {number} of the input: {failure}") from None
            if record is not None:
                yield {**message, "stream": stream_map.stream_alias, "record": record}
