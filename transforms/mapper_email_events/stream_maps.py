"""The SDK's stream maps, for what needs no code of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import RemoveRecordTransform

from mapper_email_events.common.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.mapper import PluginMapper

Message = dict[str, Any]


class StreamMaps:
    """Applies stream maps to SCHEMA and RECORD messages."""

    def __init__(self, mapper: PluginMapper) -> None:
        """Take the SDK's mapper, configured."""
        self._mapper = mapper

    def schemas(self, message: Message, number: int) -> Iterator[Message]:
        """The SCHEMA messages of what the maps make of a stream.

        Raises:
            UserError: The maps do not fit the stream.
        """
        keys = message.get("key_properties")
        try:
            self._mapper.register_raw_stream_schema(message["stream"], message["schema"], keys)
        except (MapExpressionError, StreamMapConfigError, KeyError, TypeError) as failure:
            raise UserError(
                f"The stream maps do not fit the SCHEMA at line {number} of the input "
                f"({type(failure).__name__}); mend stream_maps."
            ) from None
        for stream_map in self._mapper.stream_maps[message["stream"]]:
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
            except Exception as failure:  # noqa: BLE001 - whatever a user's expression raises
                raise UserError(
                    f"The stream map of {stream} fails with {type(failure).__name__} at line "
                    f"{number} of the input; mend its expressions in stream_maps."
                ) from None
            if record is not None:
                yield {**message, "stream": stream_map.stream_alias, "record": record}
