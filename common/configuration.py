"""Read the values of a configuration by the types of its settings."""

from __future__ import annotations

import difflib
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from .declaration import Declared, declared_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d*)?\s*", re.ASCII)
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
_SHOWN = 60


@dataclass
class Reading:
    """What a configuration says: the settings given, what is wrong with it, what is odd."""

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_configuration(declaration: type[msgspec.Struct], config: Mapping[str, Any]) -> Reading:
    """Read the settings of a configuration; those not given are left out."""
    reading = Reading()
    declared = {each.name: each for each in declared_settings(declaration)}
    for name, value in config.items():
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            reading.warnings.append(f"Setting {name} is unknown, so it has no effect{hint}")
        elif value is not None and not (isinstance(value, str) and not value.strip()):
            _read_into(reading, declared[name], value)
    return reading


def clean_secret(text: str) -> str:
    """Take off the blanks and quotes that secret stores and copying put around a secret."""
    return text.strip().strip(_QUOTES).strip()


def _read_into(reading: Reading, declared: Declared, value: Any) -> None:
    read = _READERS[type(declared.kind)](declared, value)
    if read is None:
        reading.problems.append(_sentence(declared, value))
        return
    reading.values[declared.name] = read
    if declared.is_secret and read != value:
        reading.warnings.append(
            f"Setting {declared.name} has blanks or quotes around it; they were left out, so take "
            "them away where it is set."
        )


# Each reader returns None for what the setting cannot take.


def _read_boolean(_: Declared, value: Any) -> bool | None:
    return _WORDS.get(str(value).strip().lower()) if isinstance(value, int | str) else None


def _read_number(declared: Declared, value: Any) -> float | None:
    kind = declared.kind
    assert isinstance(kind, inspect.IntType | inspect.FloatType)  # noqa: S101 - tells mypy
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    number = float(value)
    is_whole = isinstance(kind, inspect.IntType)
    if not math.isfinite(number) or (is_whole and not number.is_integer()):
        return None
    if (kind.ge is not None and number < kind.ge) or (kind.le is not None and number > kind.le):
        return None
    return int(number) if is_whole else number


def _read_text(declared: Declared, value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if declared.is_secret:
        value = clean_secret(value)
        return value if value and value.isascii() and value.isprintable() else None
    return value if declared.keeps_blanks else value.strip()


def _read_choice(declared: Declared, value: Any) -> str | None:
    assert isinstance(declared.kind, inspect.LiteralType)  # noqa: S101 - tells mypy
    text = value.strip().lower() if isinstance(value, str) else None
    return text if text in declared.kind.values else None


def _read_list(_: Declared, value: Any) -> list[str] | None:
    if isinstance(value, str):
        value = _from_json(value) if value.strip().startswith("[") else value.split(",")
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return None
    words = [each.strip() for each in value]
    return words if all(words) else None


def _read_object(declared: Declared, value: Any) -> dict[str, Any] | None:
    is_text = isinstance(value, str)
    if declared.takes_list and not (
        value.lstrip().startswith("{") if is_text else isinstance(value, dict)
    ):
        fields = _read_list(declared, value)
        named = {field.rpartition(".")[2]: field for field in fields or ()}
        return None if fields is None or len(named) < len(fields) else named
    if is_text:
        value = _from_json(value)
    if not isinstance(value, dict):
        return None
    if _holds_only_text(declared) and not all(isinstance(each, str) for each in value.values()):
        return None
    return value


_READERS: Mapping[type[inspect.Type], Callable[[Declared, Any], Any]] = {
    inspect.BoolType: _read_boolean,
    inspect.IntType: _read_number,
    inspect.FloatType: _read_number,
    inspect.StrType: _read_text,
    inspect.LiteralType: _read_choice,
    inspect.ListType: _read_list,
    inspect.DictType: _read_object,
}


def _from_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return None


def _holds_only_text(declared: Declared) -> bool:
    kind = declared.kind
    return isinstance(kind, inspect.DictType) and isinstance(kind.value_type, inspect.StrType)


def _sentence(declared: Declared, value: Any) -> str:
    shown = "" if declared.is_private else f", not {_show(value)}"
    is_text = isinstance(declared.kind, inspect.StrType | inspect.LiteralType)
    # YAML and JSON read `off` and `12` as something else than text.
    quotes = "; put it into quotes" if is_text and isinstance(value, int | float) else ""
    return f"Setting {declared.name} must be {_expected(declared)}{shown}{quotes}."


def _expected(declared: Declared) -> str:
    kind = declared.kind
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(map(str, kind.values))}"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return f"{'a whole' if isinstance(kind, inspect.IntType) else 'a'} number{_range(kind)}"
    if isinstance(kind, inspect.DictType):
        of_text = " that holds only text" if _holds_only_text(declared) else ""
        or_list = ", or a list of fields whose last names differ" if declared.takes_list else ""
        return f"a JSON object{of_text}{or_list}"
    if isinstance(kind, inspect.StrType):
        return "text of printable ASCII characters" if declared.is_secret else "text"
    if isinstance(kind, inspect.ListType):
        return "a list of words, as JSON or with commas between them"
    return "true or false"


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge} to {kind.le}"
    return "" if kind.ge is None else f" of at least {kind.ge}"


def _show(value: Any) -> str:
    """A value for a message; of what is made of parts none is shown, for it may be a secret."""
    if isinstance(value, dict):
        return "this object"
    if isinstance(value, list):
        return "this list"
    # JSON keeps a message in one line.
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
