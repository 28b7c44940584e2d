"""Apply the SDK's stream maps and flattening to records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_amplitude.common.stream_map_settings import MapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_amplitude.common.stream_maps import CheckedMapper


class StreamMaps:
    """The stream maps of a configuration.

    Attributes:
        is_replay: Whether records that were rejected came, which may be those of a few streams.
    """

    is_replay = False

    def __init__(self, mapper: CheckedMapper) -> None:
        """Take the mapper, configured."""
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

        Raises:
            MapError: The maps do not fit it.
        """
        self._mapper.register_raw_stream_schema(stream, schema, keys)
        self._separators[stream] = [
            find_separator((stream_map.transformed_schema or {}).get("properties", {}))
            for stream_map in self._mapper.stream_maps[stream]
        ]

    def apply(
        self, stream: str, record: dict[str, Any], line: int
    ) -> Iterator[tuple[str, dict[str, Any] | None, tuple[str, ...], str | None]]:
        """Yield what each map of a stream makes of a record from this line of the input.

        That is the stream, the record or None where the map filters it out, its keys, and the
        separator of flattened names where the map flattens.

        Raises:
            MapError: If an expression fails.
        """
        maps = zip(self._mapper.stream_maps[stream], self._separators[stream], strict=True)
        for stream_map, separator in maps:
            try:
                mapped = stream_map.transform(dict(record))
            except MapError as failure:
                raise MapError(f"Line {line} of the input: {failure}") from None
            keys = tuple(stream_map.transformed_key_properties or ())
            yield stream_map.stream_alias, mapped, keys, separator

    def check_matched(self) -> None:
        """Check at the end of the input that all maps were of use.

        Raises:
            MapError: Some matched no stream, while records that none applied to went on.
        """
        if not self.is_replay:
            self._mapper.check_matched()

    def warnings(self) -> Iterator[str]:
        """What to say of maps that dropped every record they got."""
        return self._mapper.warnings()
