"""What is declared of a setting is what the SDK and Meltano Hub read of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from target_amplitude.common.declaration import Declared, declared_settings, json_schema
from target_amplitude.common.declaration import setting as describe


def properties(*fields: Any) -> dict[str, Any]:
    schema = json_schema(msgspec.defstruct("Some", fields, kw_only=True))
    found: dict[str, Any] = schema["properties"]
    return found


def declared(kind: Any, *default: Any) -> Declared:
    (one,) = declared_settings(msgspec.defstruct("Some", [("one", kind, *default)]))
    return one


def test_a_setting_has_its_title_description_and_default() -> None:
    kind = Annotated[str, describe("Title", "What it is.")]
    assert properties(("plain", kind, "word")) == {
        "plain": {
            "type": ["string", "null"],
            "title": "Title",
            "description": "What it is.",
            "default": "word",
        }
    }


def test_only_settings_without_a_default_are_required() -> None:
    kind = Annotated[str, describe("T", "D.")]
    made = msgspec.defstruct("Some", [("one", kind), ("two", kind, "x")])
    schema = json_schema(made)
    assert schema["type"] == "object"
    assert schema["required"] == ["one"]
    assert schema["properties"]["one"]["type"] == ["string"]
    assert "required" not in json_schema(msgspec.defstruct("Some", [("two", kind, "x")]))


def test_every_setting_may_be_text_and_names_what_it_stands_for() -> None:
    said = describe("T", "D.")
    found = properties(
        ("flag", Annotated[bool, said], True),
        ("count", Annotated[int, said] | None, None),
        ("share", Annotated[float, said], 0.5),
        ("names", Annotated[list[str], said], msgspec.field(default_factory=list)),
        ("texts", Annotated[dict[str, str], said], msgspec.field(default_factory=dict)),
    )
    types = {name: schema["type"] for name, schema in found.items()}
    assert types == {
        "flag": ["string", "boolean", "null"],
        "count": ["string", "integer", "null"],
        "share": ["string", "number", "null"],
        "names": ["string", "array", "null"],
        "texts": ["string", "object", "null"],
    }
    assert found["flag"]["default"] is True
    assert found["share"]["default"] == 0.5
    assert not {"default", "items"} & {*found["count"], *found["texts"]}
    assert found["names"]["items"] == {"type": "string"}
    assert "default" not in found["names"]


def test_a_default_made_anew_each_time_is_a_default() -> None:
    kind = Annotated[list[str], describe("T", "D.")]
    assert declared(kind, msgspec.field(default_factory=lambda: ["a"])).default == ["a"]
    assert declared(kind).default is None


def test_what_only_sounds_secret_names_its_own_type_first() -> None:
    said = describe("T", "D.")
    found = properties(
        ("min_id_length", Annotated[int, said], 5),
        ("key_words", Annotated[str, said], "x"),
        ("api_key", Annotated[str, describe("T", "D.", secret=True)], "x"),
    )
    assert found["min_id_length"]["type"] == ["integer", "string", "null"]
    assert found["key_words"]["type"] == ["string", "null"]
    assert found["api_key"]["type"] == ["string", "null"]


def test_bounds_are_those_declared() -> None:
    found = properties(
        ("both", Annotated[int, describe("T", "D.", least=0, most=9)], 1),
        ("least", Annotated[float, describe("T", "D.", least=2)] | None, None),
        ("most", Annotated[float, describe("T", "D.", most=3)], 1),
        ("none", Annotated[int, describe("T", "D.")], 1),
        ("text", Annotated[str, describe("T", "D.")], "x"),
    )
    bounds = {
        name: (schema.get("minimum"), schema.get("maximum")) for name, schema in found.items()
    }
    assert bounds == {
        "both": (0, 9),
        "least": (2, None),
        "most": (None, 3),
        "none": (None, None),
        "text": (None, None),
    }
    assert "minimum" not in found["most"]


def test_choices_are_examples() -> None:
    said = describe("T", "D.")
    found = properties(
        ("choice", Annotated[Literal["a", "b"], said], "a"), ("text", Annotated[str, said], "a")
    )
    assert found["choice"]["examples"] == ["a", "b"]
    assert found["choice"]["type"] == ["string", "null"]
    assert "examples" not in found["text"]


def test_only_secrets_are_written_and_never_read() -> None:
    found = properties(
        ("secret", Annotated[str | None, describe("T", "D.", secret=True)], None),
        ("private", Annotated[str | None, describe("T", "D.", private=True)], None),
    )
    assert found["secret"]["secret"] is found["secret"]["writeOnly"] is True
    assert not {"secret", "writeOnly"} & set(found["private"])


def test_a_secret_is_private_but_not_the_other_way_round() -> None:
    def flags(**said: bool) -> tuple[bool, bool, bool]:
        one = declared(Annotated[str, describe("T", "D.", **said)], "x")
        return one.is_secret, one.is_private, one.keeps_blanks

    assert flags() == (False, False, False)
    assert flags(secret=True) == (True, True, False)
    assert flags(private=True) == (False, True, False)
    assert flags(keeps_blanks=True) == (False, False, True)
