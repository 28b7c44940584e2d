"""What is declared of a setting is what the SDK and Meltano Hub read of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from target_amplitude.common.declaration import json_schema, setting

SAID = {"title": "T", "description": "D."}
SECRET = setting("T", "D.", secret=True)


class Some(msgspec.Struct, kw_only=True):
    must: Annotated[str, setting("T", "D.")]
    flag: Annotated[bool, setting("T", "D.")] = True
    count: Annotated[int, setting("T", "D.", least=0, most=9)] | None = None
    share: Annotated[float, setting("T", "D.", most=3)] = 0.5
    choice: Annotated[Literal["a", "b"], setting("T", "D.")] = "a"
    names: Annotated[list[str], setting("T", "D.")] = msgspec.field(default_factory=list)
    some: Annotated[list[str], setting("T", "D.")] = msgspec.field(default_factory=lambda: ["a"])
    texts: Annotated[dict[str, str], setting("T", "D.")] = {}
    min_id_length: Annotated[int, setting("T", "D.")] = 5
    api_key: Annotated[str | None, SECRET] = None
    hidden: Annotated[str | None, setting("T", "D.", private=True)] = None
    prefix: Annotated[str, setting("T", "D.", keeps_blanks=True)] = " "


def test_the_schema_says_all_that_is_declared() -> None:
    expected: dict[str, dict[str, Any]] = {
        "must": {"type": ["string"]},
        "flag": {"type": ["string", "boolean", "null"], "default": True},
        "count": {"type": ["string", "integer", "null"], "minimum": 0, "maximum": 9},
        "share": {"type": ["string", "number", "null"], "maximum": 3, "default": 0.5},
        "choice": {"type": ["string", "null"], "examples": ["a", "b"], "default": "a"},
        "names": {"type": ["string", "array", "null"], "items": {"type": "string"}},
        "some": {
            "type": ["string", "array", "null"],
            "items": {"type": "string"},
            "default": ["a"],
        },
        "texts": {"type": ["string", "object", "null"]},
        # What only sounds secret names its own type first.
        "min_id_length": {"type": ["integer", "string", "null"], "default": 5},
        "api_key": {"type": ["string", "null"], "secret": True, "writeOnly": True},
        "hidden": {"type": ["string", "null"]},
        "prefix": {"type": ["string", "null"], "default": " "},
    }
    assert json_schema(Some) == {
        "type": "object",
        "properties": {name: SAID | each for name, each in expected.items()},
        "required": ["must"],
    }
