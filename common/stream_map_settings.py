"""What the setting `stream_maps` may hold, said in sentences before anything is read.

The SDK finds some of it only at the first record, and answers some with exceptions of all kinds.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

ELSE = "__else__"
FILTER = "__filter__"
SOURCE = "__source__"
_ALIAS = "__alias__"
_KEYS = "__key_properties__"
_OPTIONS = (FILTER, SOURCE, _ALIAS, _KEYS, ELSE)

_FIELD_CUTOFF = 0.88
"""Above the likeness of HubSpot's own `emailCampaignId` and `emailCampaignGroupId`."""

_STREAM_CUTOFF = 0.8
_SHOWN = 100


class MapError(UserError):
    """A stream map or flattening that cannot be applied; the sentence holds no values."""


def check_stream_maps(maps: Mapping[str, Any]) -> None:
    """Check what can be told without a stream.

    Raises:
        MapError: A map has another shape than the SDK's, or can never have an effect.
    """
    for key, definition in maps.items():
        if key == ELSE:
            _check(is_null(definition), f"{ELSE} in stream_maps must be null or __NULL__.")
        elif key.startswith("__"):
            raise MapError(
                f"{key} in stream_maps belongs into the map of a stream; beside the streams there "
                f"is only {ELSE}."
            )
        elif isinstance(definition, Mapping):
            _check_map(key, definition)
        else:
            _check(
                is_null(definition),
                f"Stream map {key} must be an object of fields and expressions, or null.",
            )
    _check_order(maps)


def is_null(definition: object) -> bool:
    """Whether a map or a field is dropped; an unhashable value would end a look-up."""
    return definition is None or definition == "__NULL__"


def source_of(key: str, definition: object) -> str:
    """The stream, or the pattern of streams, that a map is applied to."""
    return str(definition.get(SOURCE, key)) if isinstance(definition, Mapping) else key


def is_primary(definition: object) -> bool:
    """Whether a map takes the place of its stream, rather than adding another to it."""
    return not isinstance(definition, Mapping) or SOURCE not in definition


def closest(pattern: str, streams: Iterable[str]) -> str | None:
    """The stream, or the pattern such as `email_*`, that was meant by one that matches none.

    A name is compared with names and a pattern with patterns, as `orders` is not meant for
    `orders_archive`.
    """
    candidates = list(streams)
    if any(sign in pattern for sign in "*?["):
        candidates = [
            f"{name[: at + 1]}*"
            for name in candidates
            for at, sign in enumerate(name)
            if sign == "_"
        ]
    folded = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(pattern.lower(), folded, n=1, cutoff=_STREAM_CUTOFF)
    return folded[near[0]] if near else None


def check_removed(key: str, definition: object, fields: Collection[str]) -> None:
    """Check that the fields a map takes away are not misspelt ones, which it would leave.

    Raises:
        MapError: A field is none of a stream's `fields`, and much like one of them.
    """
    if not isinstance(definition, Mapping):
        return
    for name, expression in definition.items():
        if name in _OPTIONS or name in fields or not is_null(expression):
            continue
        parent, dot, _ = name.partition(".")
        if dot and parent in fields:
            raise MapError(
                f"Stream map {key} cannot take away {name}, which lies within {parent}; give "
                f"{parent} an expression, or take it away as a whole."
            )
        near = difflib.get_close_matches(name, fields, n=1, cutoff=_FIELD_CUTOFF)
        if near and near[0] not in definition:
            raise MapError(
                f"Stream map {key} takes away {name}, which is no field of its stream; did you "
                f"mean {near[0]}?"
            )


def expressions(definition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a map that have expressions, with its filter."""
    for name, expression in definition.items():
        if (name == FILTER or name not in _OPTIONS) and not is_null(expression):
            yield name, expression


def shorten(expression: str) -> str:
    """An expression as it stands in a sentence, in one line."""
    line = " ".join(expression.split())
    return f"`{line if len(line) <= _SHOWN else f'{line[:_SHOWN]}...'}`"


def _check(is_right: bool, sentence: str) -> None:  # noqa: FBT001 - an assertion
    if not is_right:
        raise MapError(sentence)


def _check_map(key: str, definition: Mapping[str, Any]) -> None:
    _check(
        not (SOURCE in definition and _ALIAS in definition),
        f"Stream map {key} has both {SOURCE} and {_ALIAS}; with {SOURCE} its key is the new name.",
    )
    for option in (SOURCE, _ALIAS):
        text = definition.get(option, "text")
        _check(
            isinstance(text, str) and bool(text.strip()),
            f"{option} of stream map {key} must be text.",
        )
    keys = definition.get(_KEYS)
    _check(
        keys is None or (isinstance(keys, list) and all(isinstance(each, str) for each in keys)),
        f"{_KEYS} of stream map {key} must be a list of fields, or null.",
    )
    _check(is_null(definition.get(ELSE)), f"{ELSE} of stream map {key} must be null or __NULL__.")
    rule = definition.get(FILTER)
    _check(
        rule is None or isinstance(rule, str),
        f"{FILTER} of stream map {key} must be text with an expression.",
    )
    for name in definition:
        if name.startswith("__") and name.endswith("__") and name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_OPTIONS)}."
            raise MapError(f"Stream map {key} has an unknown option {name}; {hint}")
    for name, expression in expressions(definition):
        _check_expression(key, name, expression)


def _check_expression(key: str, name: str, expression: object) -> None:
    if not isinstance(expression, str):
        raise MapError(
            f"Stream map {key}, {_place(name)}: the expression must be text (text itself in quotes "
            "within it), or null."
        )
    try:
        statements = ast.parse(expression).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        statements = []
    if len(statements) != 1 or not isinstance(statements[0], ast.Expr):
        raise MapError(
            f"Stream map {key}, {_place(name)}: {shorten(expression)} cannot be read as an "
            "expression of Python; text needs quotes of its own, as in \"'text'\"."
        )


def _place(name: str) -> str:
    return name if name == FILTER else f"field {name}"


def _check_order(maps: Mapping[str, Any]) -> None:
    """The last map that matches a stream is applied to it, and none of those before it."""
    primary = [key for key, definition in maps.items() if key != ELSE and is_primary(definition)]
    for place, key in enumerate(primary):
        for later in primary[place + 1 :]:
            if fnmatch(key, later):
                raise MapError(
                    f"Stream map {key} has no effect, since {later} after it is applied in its "
                    f"place; put {key} after {later}."
                )
