"""Apply the SDK's stream maps and flattening to records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from singer_sdk.exceptions import MapExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from singer_sdk.mapper import PluginMapper


class MappedRecord(NamedTuple):
    """What a stream map made of a record.

    `record` is None where the map filters it out; `separator` is that of flattened names, where the
    map flattens.
    """

    stream: str
    record: dict[str, Any] | None
    keys: tuple[str, ...]
    separator: str | None


class StreamMaps:
    """The stream maps of a configuration."""

    def __init__(self, mapper: PluginMapper) -> None:
        """Take the SDK's mapper."""
        self._mapper = mapper
        self._separators: dict[str, list[str | None]] = {}

    def add_schema(
        self,
        stream: str,
        schema: dict[str, Any],
        keys: list[str] | None,
        find_separator: Callable[[Iterable[str]], str | None],
    ) -> None:
        """Take the schema of a stream, by which the SDK builds its maps.

        `find_separator` tells from the names of a schema what they are flattened with.
        """
        self._mapper.register_raw_stream_schema(stream, schema, keys)
        self._separators[stream] = [
            find_separator((stream_map.transformed_schema or {}).get("properties", {}))
            for stream_map in self._mapper.stream_maps[stream]
        ]

    def apply(self, stream: str, record: dict[str, Any], line: int) -> Iterator[MappedRecord]:
        """Yield what each map of a stream makes of a record from this line of the input.

        Raises:
            MapExpressionError: If an expression fails.
        """
        maps = zip(self._mapper.stream_maps[stream], self._separators[stream], strict=True)
        for stream_map, separator in maps:
            try:
                mapped = stream_map.transform(dict(record))
            except Exception as failure:  # noqa: BLE001 - whatever a user's expression raises
                raise MapExpressionError(
                    f"The stream map of {stream} fails with {type(failure).__name__} at line "
                    f"{line} of the input; correct its expressions in stream_maps.",
                ) from None
            keys = tuple(stream_map.transformed_key_properties or ())
            yield MappedRecord(stream_map.stream_alias, mapped, keys, separator)


def needs_stream_maps(config: dict[str, Any]) -> bool:
    """Whether a configuration has stream maps or flattening."""
    return bool(config.get("stream_maps") or config.get("flattening_enabled"))
