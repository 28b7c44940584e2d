"""What is declared of a setting, and the JSON schema made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOUNDS_SECRET = re.compile("id|key|token|secret|password")
_JSON_TYPES: dict[type[inspect.Type], str] = {
    inspect.BoolType: "boolean",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.ListType: "array",
    inspect.DictType: "object",
}


@dataclass(frozen=True)
class Declared:
    """One setting as it is declared.

    `default` is None where it has none, and `is_private` tells that its value is not to be shown.
    An object that `takes_list` may be a list of dotted fields, each named by its last part.
    """

    name: str
    kind: inspect.Type
    title: str
    description: str
    default: Any
    is_required: bool
    is_secret: bool
    keeps_blanks: bool
    is_private: bool
    takes_list: bool


def setting(  # noqa: PLR0913 - what there is to say of a setting
    title: str,
    description: str,
    *,
    least: float | None = None,
    most: float | None = None,
    secret: bool = False,
    private: bool = False,
    keeps_blanks: bool = False,
    takes_list: bool = False,
) -> msgspec.Meta:
    """Describe the setting that a field declares.

    A `private` one is no `secret`, but its value may hold some, so no message shows it.
    """
    extra = {
        "is_secret": secret,
        "is_private": secret or private,
        "keeps_blanks": keeps_blanks,
        "takes_list": takes_list,
    }
    return msgspec.Meta(title=title, description=description, ge=least, le=most, extra=extra)


def declared_settings(declaration: type[msgspec.Struct]) -> Iterator[Declared]:
    """Yield the settings of a structure, inherited ones last; `setting` describes every field."""
    info = inspect.type_info(declaration)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - tells mypy
    inherited = {
        name for base in declaration.__bases__ for name in getattr(base, "__struct_fields__", ())
    }
    for field in sorted(info.fields, key=lambda field: field.name in inherited):
        # Bounds are declared of a number, so what describes it stands within `| None`.
        described = _without_null(field.type)
        assert isinstance(described, inspect.Metadata)  # noqa: S101 - tells mypy
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        words = described.extra_json_schema or {}
        yield Declared(
            field.name,
            _without_null(described.type),
            words["title"],
            words["description"],
            None if default is msgspec.NODEFAULT else default,
            field.required,
            **(described.extra or {}),
        )


def json_schema(declaration: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON schema that the SDK and Meltano Hub read."""
    declared = list(declared_settings(declaration))
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: _schema_of(each) for each in declared},
    }
    if required := [each.name for each in declared if each.is_required]:
        schema["required"] = required
    return schema


def _schema_of(declared: Declared) -> dict[str, Any]:
    kind = declared.kind
    json_type = _JSON_TYPES.get(type(kind), "string")
    types = ["string", json_type]
    if _SOUNDS_SECRET.search(declared.name) and not declared.is_secret:
        types.reverse()
    if declared.takes_list:
        types.append("array")
    if not declared.is_required:
        types.append("null")
    schema: dict[str, Any] = {
        "type": list(dict.fromkeys(types)),
        "title": declared.title,
        "description": declared.description,
    }
    if "array" in types:
        schema["items"] = {"type": "string"}
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        bounds = {"minimum": kind.ge, "maximum": kind.le}
        schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if isinstance(kind, inspect.LiteralType):
        # An `enum` would be checked before blanks are taken off, and the Hub would label it anew.
        schema["examples"] = list(kind.values)
    if declared.default not in (None, {}, []):
        schema["default"] = declared.default
    if declared.is_secret:
        schema |= {"secret": True, "writeOnly": True}
    return schema


def _without_null(kind: inspect.Type) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    return next(each for each in kind.types if not isinstance(each, inspect.NoneType))


class SdkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of stream maps and flattening, which the SDK acts on, for both plugins.

    `stream_maps` itself each describes in its own words.
    """

    stream_map_config: Annotated[
        dict[str, Any] | None,
        setting("Stream Map Config", "Values for the expressions of stream maps.", private=True),
    ] = None
    faker_config: Annotated[
        dict[str, Any] | None,
        setting(
            "Faker Config",
            "Seed and locale of `fake` in stream maps, where the package faker is installed.",
        ),
    ] = None
    flattening_enabled: Annotated[
        bool | None,
        setting(
            "Flattening Enabled", "Turn the fields of nested objects into fields of the record."
        ),
    ] = None
    flattening_max_depth: (
        Annotated[int, setting("Flattening Max Depth", "How many levels to flatten.", least=0)]
        | None
    ) = None
    flattening_max_key_length: (
        Annotated[
            int, setting("Flattening Max Key Length", "Longest name of a flattened field.", least=1)
        ]
        | None
    ) = None
    flattening_separator: Annotated[
        str | None,
        setting(
            "Flattening Separator",
            "What stands between the names of a flattened field; if unset, two underscores.",
            keeps_blanks=True,
        ),
    ] = None
