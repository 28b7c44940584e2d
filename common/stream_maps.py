"""The SDK's stream maps and flattening, with sentences for failures, and counts of what they drop.

The SDK takes a map that matches no stream for one that is not needed, and does not tell what a map
leaves out.
"""

from __future__ import annotations

import ast
import copy
import traceback
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import (
    CustomStreamMap,
    PluginMapper,
    SameRecordTransform,
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
    is_null,
    is_primary,
    shorten,
    source_of,
)
from .tables import names

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.mapper import StreamMap

_OWN_STREAMS = (*STREAM_OF_TYPE.values(), "email_campaigns")
"""Streams that a tap may leave out of a run, so a map of one of them is not misspelt."""


@dataclass(slots=True)
class _Count:
    """How many records of a stream a map got, and how many it passed on."""

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
        self._is_checked = False
        self._counts: defaultdict[tuple[str, str], _Count] = defaultdict(_Count)

    def expect(self, fields: Mapping[str, Mapping[str, Any]]) -> None:
        """Check the maps against all streams there are, given with their fields.

        Raises:
            MapError: A map matches none of them, or takes away a field that none of its own has.
        """
        self._is_checked = True
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
        keys = self._keys_of(stream_name)
        if not self._is_checked and stream_name in keys:
            fields = schema.get("properties") or {}
            check_removed(stream_name, self.stream_maps_dict[stream_name], fields)
        before = self.stream_maps.get(stream_name)
        try:
            super().register_raw_stream_schema(stream_name, schema, key_properties)
        except (MapExpressionError, StreamMapConfigError) as failure:
            reason = " ".join(str(failure).split())
            raise MapError(f"The setting stream_maps is wrong: {reason}") from None
        except Exception as failure:  # noqa: BLE001 - whatever a setting makes the SDK raise
            raise MapError(_setting_at_fault(failure, stream_name)) from None
        if not self._is_checked and keys[0] == ELSE:
            self._refuse_misspelt(stream_name)
        # The SDK keeps the maps of a schema that comes once more.
        if self.stream_maps[stream_name] is not before:
            for stream_map, key in zip(self.stream_maps[stream_name], keys, strict=True):
                self._watch(stream_map, key, stream_name)

    def check_matched(self) -> None:
        """Check at the end of the input that all maps were of use.

        A map of a stream of this project's own tap may be, since that may be deselected.

        Raises:
            MapError: Some were not, and records that none applied to have gone on.
        """
        unmatched = self._unmatched()
        unmapped = sorted(name for name in self.stream_maps if self._keys_of(name)[0] == ELSE)
        if unmatched and unmapped and self.default_mapper_type is SameRecordTransform:
            raise MapError(
                f"{' and '.join(unmatched)} in stream_maps matched no stream of the input, and the "
                f"records of {names(unmapped)} went on as they are; correct the key."
            )

    def warnings(self) -> Iterator[str]:
        """What to say of maps that dropped every record they got."""
        passing = {stream for (_, stream), count in self._counts.items() if count.passed}
        by_key: dict[str, dict[str, int]] = {}
        for (key, stream), count in self._counts.items():
            is_meant = is_null(self.stream_maps_dict.get(key)) and stream in passing
            if count.read and not count.passed and not is_meant:
                by_key.setdefault(key, {})[stream] = count.read
        for key, dropped in by_key.items():
            yield (
                f"Stream map {key} dropped every record of {names(dropped)} "
                f"({sum(dropped.values()):,}); if that is not meant, correct stream_maps and read "
                "them again, else deselect them in the tap."
            )

    def _keys_of(self, stream: str) -> list[str]:
        """The map that takes a stream's place, `__else__` if there is none, and those it adds."""
        primary: list[str] = [ELSE]
        added: list[str] = []
        for key, definition in self.stream_maps_dict.items():
            if fnmatch(stream, source_of(key, definition)):
                (primary if is_primary(definition) else added).append(key)
        return [primary[-1], *added]

    def _unmatched(self) -> list[str]:
        streams = (*self.stream_maps, *_OWN_STREAMS)
        return [
            key
            for key, definition in self.stream_maps_dict.items()
            if not any(fnmatch(name, source_of(key, definition)) for name in streams)
        ]

    def _refuse_misspelt(self, stream: str) -> None:
        for key in self._unmatched():
            source = source_of(key, self.stream_maps_dict[key])
            if near := closest(source, [stream]):
                raise MapError(
                    f"{_subject(key, source)} matches no stream so far, and {stream} has no map; "
                    f"did you mean {near}? If not, give {stream} an empty map, {{}}."
                )

    def _watch(self, stream_map: StreamMap, key: str, stream: str) -> None:
        """Check what a map has become, count its records, and explain its failures."""
        if type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled:
            return
        definition = self.stream_maps_dict.get(key)
        given: Mapping[str, Any] = definition if isinstance(definition, dict) else {}
        _check_result(stream_map, key, stream, given)
        count = self._counts[key, stream]
        transform = stream_map.transform

        def watched(record: dict[str, Any]) -> dict[str, Any] | None:
            try:
                mapped = transform(record)
            except Exception as failure:  # noqa: BLE001 - whatever a user's expression raises
                if not isinstance(stream_map, CustomStreamMap) or _comes_from(
                    failure, "flatten_record"
                ):
                    raise MapError(
                        f"A record of {stream} cannot be flattened ({type(failure).__name__}); "
                        "switch flattening_enabled off."
                    ) from None
                evaluator = stream_map.expr_evaluator
                place = _place(evaluator, given, record)
                raise MapError(
                    f"Stream map {key}, {place}: the expression {shorten(evaluator.expr)} fails on "
                    f"a record of {stream} ({_reason(failure, evaluator)})."
                ) from None
            count.read += 1
            count.passed += mapped is not None
            return mapped

        stream_map.transform = watched  # type: ignore[method-assign]


def _check_result(
    stream_map: StreamMap, key: str, stream: str, definition: Mapping[str, Any]
) -> None:
    # The SDK calls it text, but takes what an expression gives.
    alias: object = stream_map.stream_alias
    if not isinstance(alias, str) or not alias:
        raise MapError(f"__alias__ of stream map {key} must give a name.")
    if not stream_map.flattening_enabled:
        return
    fields = stream_map.transformed_schema.get("properties", {})
    before = {*stream_map.raw_schema.get("properties", {}), *definition}
    for name in stream_map.transformed_key_properties or ():
        if name in before and name not in fields:
            raise MapError(
                f"Flattening takes the key property {name} of {stream} away; set "
                "flattening_max_key_length to more than its length."
            )


def _place(evaluator: Any, definition: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """The filter or the field whose expression was evaluated last."""
    value = evaluator.names.get("self")
    fields = [
        name
        for name, text in expressions(definition)
        if text == evaluator.expr and (name == FILTER or record.get(name) is value)
    ]
    return FILTER if fields == [FILTER] else f"field {' or '.join(fields)}"


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


def _reason(failure: BaseException, evaluator: Any) -> str:
    """The kind of a failure, with no values of the record; names stand in the expression."""
    # The SDK puts one of its own around those of the evaluator.
    cause = failure.__cause__ or failure
    kind = type(cause).__name__
    missing = next(
        (value for part in ("name", "func_name", "attr") if (value := getattr(cause, part, None))),
        cause.args[0] if isinstance(cause, KeyError) and cause.args else None,
    )
    nodes = list(ast.walk(ast.parse(evaluator.expr)))
    written = {getattr(node, part, None) for node in nodes for part in ("id", "attr", "value")}
    if isinstance(missing, str) and missing in written:
        return f"{kind}: there is no {missing}"
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    empty = sorted(name for name in used if evaluator.names.get(name, "") is None)
    return f"{kind}, where {' and '.join(empty)} is null" if empty else kind
