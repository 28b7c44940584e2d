"""Apply the SDK's stream maps and flattening to records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from singer_sdk.exceptions import MapExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.mapper import PluginMapper


class MappedRecord(NamedTuple):
    """What a stream map made of a record; `record` is None where the map filters it out."""

    stream: str
    record: dict[str, Any] | None
    keys: tuple[str, ...]


class StreamMaps:
    """The stream maps of a configuration."""

    def __init__(self, mapper: PluginMapper) -> None:
        """Take the SDK's mapper."""
        self._mapper = mapper

    def add_schema(self, stream: str, schema: dict[str, Any], keys: list[str] | None) -> None:
        """Take the schema of a stream, by which the SDK builds its maps."""
        self._mapper.register_raw_stream_schema(stream, schema, keys)

    def apply(self, stream: str, record: dict[str, Any], line: int) -> Iterator[MappedRecord]:
        """Yield what each map of a stream makes of a record from this line of the input.

        Raises:
            MapExpressionError: If an expression fails.
        """
        for stream_map in self._mapper.stream_maps[stream]:
            try:
                mapped = stream_map.transform(dict(record))
            except Exception as failure:  # noqa: BLE001 - whatever a user's expression raises
                raise MapExpressionError(
                    f"The stream map of {stream} fails with {type(failure).__name__} at line "
                    f"{line} of the input; correct its expressions in stream_maps.",
                ) from None
            keys = tuple(stream_map.transformed_key_properties or ())
            yield MappedRecord(stream_map.stream_alias, mapped, keys)


def needs_stream_maps(config: dict[str, Any]) -> bool:
    """Whether a configuration has stream maps or flattening."""
    return bool(config.get("stream_maps") or config.get("flattening_enabled"))
