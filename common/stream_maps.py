"""The SDK's stream maps and flattening, with sentences for failures, and counts of what they drop.

The SDK takes a map that matches no stream for one that is not needed, and does not tell what a map
leaves out.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import traceback
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import (
    CustomStreamMap,
    PluginMapper,
    RemoveRecordTransform,
    SameRecordTransform,
    StreamMap,
)
from typing_extensions import override

from .event_types import STREAM_OF_TYPE
from .stream_map_settings import (
    ELSE,
    FILTER,
    MapError,
    check_removed,
    check_stream_maps,
    closest,
    expressions,
    is_primary,
    shorten,
    source_of,
)
from .tables import names

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

_OWN_STREAMS = (*STREAM_OF_TYPE.values(), "email_campaigns")
"""Streams that a tap may leave out of a run, so a map of one of them is not misspelt."""


@dataclasses.dataclass(slots=True)
class MapCount:
    """The records of a stream that a map got, and those it passed on."""

    stream: str
    key: str
    drops_all: bool
    read: int = 0
    passed: int = 0


class CheckedMapper(PluginMapper):
    """The stream maps and the flattening of a configuration."""

    def __init__(self, config: Mapping[str, Any], logger: logging.Logger) -> None:
        """Check the settings.

        Raises:
            MapError: One of them cannot be used.
        """
        maps = config.get("stream_maps") or {}
        check_stream_maps(maps)
        if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
            raise MapError(
                "Setting flattening_enabled needs flattening_max_depth, the number of levels."
            )
        # The SDK takes `__else__` out of the maps it is given.
        super().__init__(copy.deepcopy(dict(config)), logger)
        self._fields: Mapping[str, Mapping[str, Any]] | None = None
        self._matched: set[str] = set()
        self._unmapped: set[str] = set()
        self._counts: dict[tuple[str, str], MapCount] = {}
        self.drops_unmapped = ELSE in maps

    def expect(self, fields: Mapping[str, Mapping[str, Any]]) -> None:
        """Check the maps against all streams there are, given with their fields.

        Raises:
            MapError: A map matches none of them, or takes away a field that none of its own has.
        """
        self._fields = fields
        for key, definition in self.stream_maps_dict.items():
            source = source_of(key, definition)
            streams = [name for name in fields if fnmatch(name, source)]
            if not streams:
                near = closest(source, fields)
                hint = f"did you mean {near}?" if near else f"there are {', '.join(fields)}."
                raise MapError(f"{_subject(key, source)} matches no stream; {hint}")
            check_removed(key, definition, {field for name in streams for field in fields[name]})

    @override
    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Build the maps of a stream.

        Raises:
            MapError: They do not fit it, or a map that matches no stream was meant for it.
        """
        matching = {
            key: definition
            for key, definition in self.stream_maps_dict.items()
            if fnmatch(stream_name, source_of(key, definition))
        }
        self._matched.update(matching)
        primary = [key for key, definition in matching.items() if is_primary(definition)]
        added = [key for key, definition in matching.items() if not is_primary(definition)]
        if not primary:
            self._unmapped.add(stream_name)
        properties = schema.get("properties") or {}
        if self._fields is None:
            self._refuse_misspelt(stream_name, has_map=bool(primary))
            for key in {*primary[-1:], *added}:
                if key == stream_name:
                    check_removed(key, matching[key], properties)
        try:
            super().register_raw_stream_schema(stream_name, schema, key_properties)
        except (MapExpressionError, StreamMapConfigError) as failure:
            reason = " ".join(str(failure).split())
            raise MapError(f"The setting stream_maps is wrong: {reason}") from None
        except Exception as failure:  # noqa: BLE001 - whatever a setting makes the SDK raise
            raise MapError(_setting_at_fault(failure, stream_name)) from None
        keys = [primary[-1] if primary else ELSE, *added]
        stream_maps = self.stream_maps[stream_name]
        self.stream_maps[stream_name] = [
            self._counted(stream_map, key, stream_name)
            for stream_map, key in zip(stream_maps, keys, strict=True)
        ]

    def check_matched(self) -> None:
        """Check at the end of the input that all maps were of use.

        A map of a stream of this project's own tap may be, since that may be deselected.

        Raises:
            MapError: Some were not, and records that none applied to have gone on.
        """
        unmatched = self._unmatched()
        if unmatched and self._unmapped and not self.drops_unmapped:
            raise MapError(
                f"{' and '.join(unmatched)} in stream_maps matched no stream of the input, and the "
                f"records of {names(sorted(self._unmapped))} went on as they are; correct the key."
            )

    def warnings(self) -> Iterator[str]:
        """What to say of maps that dropped every record they got."""
        by_key: dict[str, list[MapCount]] = {}
        passed = {count.stream for count in self._counts.values() if count.passed}
        for count in self._counts.values():
            if count.read and not count.passed and not (count.drops_all and count.stream in passed):
                by_key.setdefault(count.key, []).append(count)
        for key, counts in by_key.items():
            total = sum(count.read for count in counts)
            yield (
                f"Stream map {key} dropped every record of "
                f"{names(count.stream for count in counts)} ({total:,}); if that is not meant, "
                "correct stream_maps and read them again, else deselect them in the tap."
            )

    def _unmatched(self) -> list[str]:
        return [
            key
            for key, definition in self.stream_maps_dict.items()
            if key not in self._matched
            and not any(fnmatch(own, source_of(key, definition)) for own in _OWN_STREAMS)
        ]

    def _refuse_misspelt(self, stream: str, *, has_map: bool) -> None:
        for key in [] if has_map else self._unmatched():
            source = source_of(key, self.stream_maps_dict[key])
            if near := closest(source, [stream]):
                raise MapError(
                    f"{_subject(key, source)} matches no stream so far, and {stream} has no map; "
                    f"did you mean {near}? If not, give {stream} an empty map, {{}}."
                )

    def _counted(self, stream_map: StreamMap, key: str, stream: str) -> StreamMap:
        is_untouched = type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
        if is_untouched or isinstance(stream_map, _CheckedMap):
            return stream_map
        drops_all = isinstance(stream_map, RemoveRecordTransform)
        count = self._counts.setdefault((stream, key), MapCount(stream, key, drops_all))
        if drops_all:
            return _CountedRemoval(stream_map, count)
        definition = self.stream_maps_dict.get(key)
        return _CheckedMap(stream_map, count, definition if isinstance(definition, dict) else {})


class _CountedRemoval(RemoveRecordTransform):
    """A map that drops everything."""

    def __init__(self, of: StreamMap, count: MapCount) -> None:
        super().__init__(of.stream_alias, of.raw_schema, of.raw_key_properties, None)
        self._count = count

    @override
    def transform(self, record: dict[str, Any]) -> None:
        self._count.read += 1


class _CheckedMap(StreamMap):
    """Any other map."""

    def __init__(self, of: StreamMap, count: MapCount, definition: Mapping[str, Any]) -> None:
        self.stream_alias = of.stream_alias
        self.raw_schema = of.raw_schema
        self.raw_key_properties = of.raw_key_properties
        self.transformed_schema = of.transformed_schema
        self.transformed_key_properties = of.transformed_key_properties
        self.flattening_options = of.flattening_options
        self._of = of
        self._count = count
        self._definition = definition
        self._check()

    def _check(self) -> None:
        # The SDK calls it text, but takes what an expression gives.
        alias: object = self.stream_alias
        if not isinstance(alias, str) or not alias:
            raise MapError(f"__alias__ of stream map {self._count.key} must give a name.")
        if not self.flattening_enabled:
            return
        fields = self.transformed_schema.get("properties", {})
        for key in self.transformed_key_properties or ():
            if key not in fields and (key in self._definition or key in self._raw_fields):
                raise MapError(
                    f"Flattening takes the key property {key} of {self._count.stream} away; set "
                    "flattening_max_key_length to more than its length."
                )

    @property
    def _raw_fields(self) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = self.raw_schema.get("properties", {})
        return fields

    @override
    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        try:
            mapped = self._of.transform(record)
        except Exception as failure:  # noqa: BLE001 - whatever a user's expression raises
            raise MapError(self._describe(failure, record)) from None
        self._count.read += 1
        self._count.passed += mapped is not None
        return mapped

    @override
    def get_filter_result(self, record: dict[str, Any]) -> bool:
        return self._of.get_filter_result(record)

    def _describe(self, failure: Exception, record: Mapping[str, Any]) -> str:
        if not isinstance(self._of, CustomStreamMap) or _comes_from(failure, "flatten_record"):
            return (
                f"A record of {self._count.stream} cannot be flattened "
                f"({type(failure).__name__}); switch flattening_enabled off."
            )
        evaluator = self._of.expr_evaluator
        names_given: Mapping[str, Any] = evaluator.names
        expression = evaluator.expr
        fields = [
            name
            for name, text in expressions(self._definition)
            if text == expression
            and (name == FILTER or names_given.get("self") is record.get(name))
        ]
        place = FILTER if fields == [FILTER] else f"field {' or '.join(fields)}"
        # The SDK puts one of its own around those of the evaluator.
        cause = failure.__cause__ or failure
        return (
            f"Stream map {self._count.key}, {place}: the expression {shorten(expression)} fails on "
            f"a record of {self._count.stream} ({_reason(cause, expression, names_given)})."
        )


def _subject(key: str, source: str) -> str:
    return f"Stream map {key}" if key == source else f"__source__ {source} of stream map {key}"


def _setting_at_fault(failure: Exception, stream: str) -> str:
    kind = type(failure).__name__
    if _comes_from(failure, "_init_faker_instance"):
        return (
            f"The setting faker_config cannot be used ({kind}); seed must be a number or text, and "
            "locale one that the package faker knows."
        )
    if _comes_from(failure, "_eval_stream"):
        return (
            f"An __alias__ in stream_maps cannot be used ({kind}); give a name, or an expression "
            "with __stream_name__ alone."
        )
    if not _comes_from(failure, "flatten_schema"):
        return f"The setting stream_maps does not fit {stream} ({kind})."
    _, is_duplicate, name = str(failure).partition("Duplicate column name produced in schema: ")
    if is_duplicate:
        return (
            f"Flattening makes two fields of {stream} one, {name}; choose another "
            "flattening_separator, or a greater flattening_max_key_length."
        )
    return f"The schema of {stream} cannot be flattened ({kind}); switch flattening_enabled off."


def _comes_from(failure: BaseException, function: str) -> bool:
    frames = traceback.walk_tb(failure.__traceback__)
    return any(frame.f_code.co_name == function for frame, _ in frames)


def _reason(cause: BaseException, expression: str, given: Mapping[str, Any]) -> str:
    """The kind of a failure, with no values of the record; names stand in the expression."""
    kind = type(cause).__name__
    missing = next(
        (value for part in ("name", "func_name", "attr") if (value := getattr(cause, part, None))),
        cause.args[0] if isinstance(cause, KeyError) and cause.args else None,
    )
    nodes = list(ast.walk(ast.parse(expression)))
    written = {
        getattr(node, part, None)
        for node in nodes
        for part in ("id", "attr", "value")
        if isinstance(getattr(node, part, None), str)
    }
    if isinstance(missing, str) and missing in written:
        return f"{kind}: there is no {missing}"
    empty = sorted(
        {
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and node.id in given and given[node.id] is None
        }
    )
    return f"{kind}, where {' and '.join(empty)} is null" if empty else kind
