"""Stream maps and flattening that cannot be used are refused in a sentence without values."""

from __future__ import annotations

import logging
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_hubspot_email_events.common.stream_map_settings import MapError
from tap_hubspot_email_events.common.stream_maps import CheckedMapper

ADDRESS = "ada@example.com"
RECORD = {
    "id": "1",
    "recipient": ADDRESS,
    "url": None,
    "location": {"city": "Paris"},
    ADDRESS: ADDRESS,
}
SCHEMA = {
    "properties": {
        "id": {"type": "string"},
        "recipient": {"type": "string"},
        "url": {"type": ["string", "null"]},
        "location": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
}


def apply(stream: str = "email_open", **config: Any) -> list[dict[str, Any] | None]:
    mapper = CheckedMapper(config, logging.getLogger())
    mapper.register_raw_stream_schema(stream, SCHEMA, ["id"])
    return [each.transform(dict(RECORD)) for each in mapper.stream_maps[stream]]


def sentence(**config: Any) -> str:
    """What is said of these settings."""
    with pytest.raises(MapError) as failure:
        apply(**config)
    text = str(failure.value)
    assert ADDRESS not in text
    assert "\n" not in text
    return text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(("", "x", "id")),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("seed"), inner, max_size=1),
    max_leaves=3,
)
EXPRESSIONS = st.sampled_from(
    (
        "recipient",
        "md5(recipient)",
        "md5(url)",
        "int(recipient)",
        "record[recipient]",
        "record['x']",
        "location['city']",
        "recipient.x.y",
        "1/0",
        "9**9**9",
        "'a' * 10**9",
        "json.loads(recipient)",
        "datetime.datetime.fromisoformat(recipient)",
        "[each for each in recipient]",
        "(lambda: id)()",
        "recipient if id else url",
        "__stream_name__",
        "fake.name()",
        "{recipient: id}[url]",
        "'%d' % recipient",
        "{**record}.x",
        "a = 1",
        "1; 2",
        "import os",
        "'",
        "((",
        "\0",
        "f'{recipient:d}'",
        "-" * 3000 + "1",
        "__NULL__",
        "md5",
        " id",
    )
)
FIELDS = st.sampled_from(
    (
        "id",
        "recipient",
        "new",
        "location",
        "__filter__",
        "__source__",
        "__alias__",
        "__key_properties__",
        "__else__",
        "__other__",
    )
)
MAPS = st.dictionaries(
    st.sampled_from(
        ("email_open", "email_*", "email_opn", "*", "__else__", "__x__", "[", "orders")
    ),
    st.dictionaries(FIELDS, EXPRESSIONS | JSON, max_size=4) | EXPRESSIONS | JSON,
    max_size=3,
)
SETTINGS = st.fixed_dictionaries(
    {"stream_maps": MAPS},
    optional={
        "stream_map_config": st.dictionaries(st.text(max_size=2), JSON, max_size=1),
        "faker_config": st.dictionaries(st.sampled_from(("seed", "locale")), JSON, max_size=2),
        "flattening_enabled": st.booleans(),
        "flattening_max_depth": st.integers(0, 3),
        "flattening_max_key_length": st.integers(1, 20),
        "flattening_separator": st.text(max_size=2),
    },
)


@settings(deadline=None)
@given(SETTINGS)
def test_whatever_the_settings_are_they_work_or_are_refused_in_a_sentence(
    config: dict[str, Any],
) -> None:
    said = ""
    try:
        apply(**config)
    except MapError as failure:
        said = str(failure)
    assert ADDRESS not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (
            "int(recipient)",
            "field user: the expression `int(recipient)` fails on a record of email_open "
            "(ValueError)",
        ),
        ("record[recipient + 'x']", "(KeyError)"),
        ("record['nobody']", "(KeyError: there is no nobody)"),
        ("nobody + 1", "(NameNotDefined: there is no nobody)"),
        ("sha265(recipient)", "(FunctionNotDefined: there is no sha265)"),
        ("fake.name()", "there is no fake"),
        ("recipient.nobody", "(AttributeDoesNotExist: there is no nobody)"),
        ("1 / 0", "(ZeroDivisionError)"),
        ("md5(url)", "where url is null"),
        ("url + 'x'", "(TypeError, where url is null)"),
        ("9 ** 9 ** 9", "(NumberTooHigh)"),
        ("'a' * 10 ** 9", "(IterableTooLong)"),
        ("json.loads(recipient)", "(JSONDecodeError)"),
    ],
)
def test_an_expression_that_fails_is_named_with_its_place_and_its_reason(
    expression: str, words: str
) -> None:
    assert words in sentence(stream_maps={"email_*": {"user": expression}})
    assert "__filter__: the" in sentence(stream_maps={"email_open": {"__filter__": expression}})


def test_of_fields_with_the_same_expression_the_one_that_fails_is_named() -> None:
    maps = {"email_open": {"recipient": "self.lower()", "url": "self.lower()"}}
    assert "field url:" in sentence(stream_maps=maps)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ([1], "Stream map email_open must be an object"),
        ("null", "Stream map email_open must be an object"),
        ({"user": 5}, "field user: the expression must be text"),
        ({"user": ["x"]}, "field user: the expression must be text"),
        ({"user": "x = 1"}, "field user: `x = 1` cannot be read as an expression"),
        ({"user": "Order Placed"}, "cannot be read as an expression"),
        ({"user": ""}, "cannot be read as an expression"),
        ({"__filter__": 5}, "__filter__ of stream map email_open must be text"),
        ({"__fliter__": "x"}, "unknown option __fliter__; did you mean __filter__?"),
        ({"__else__": True}, "__else__ of stream map email_open must be null"),
        ({"__key_properties__": "id"}, "must be a list of fields"),
        ({"__key_properties__": ["idd"]}, "idd"),
        ({"__source__": [1]}, "__source__ of stream map email_open must be text"),
        ({"__alias__": "1/0"}, "__alias__"),
        ({"__alias__": "12"}, "__alias__ of stream map email_open must give a name"),
        ({"__source__": "email_open", "__alias__": "x"}, "both __source__ and __alias__"),
        ({"recipeint": None}, "no field of its stream; did you mean recipient?"),
        ({"location.city": None}, "cannot take away location.city"),
    ],
)
def test_a_map_of_another_shape_is_refused(definition: Any, words: str) -> None:
    assert words in sentence(stream_maps={"email_open": definition})


@pytest.mark.parametrize(
    ("settings", "nested", "words"),
    [
        ({"flattening_max_depth": None}, {}, "flattening_enabled needs flattening_max_depth"),
        (
            {"flattening_max_key_length": 12},
            {"location": "city", "locality": "city"},
            "two fields of email_open one, .*; choose .*, or a greater flattening_max_key_length",
        ),
        ({"flattening_max_key_length": 8}, {}, "key property portalId of email_open away"),
        (
            {"flattening_separator": "b"},
            {"ab": "c", "a": "bc"},
            "one, abbc; choose another flattening_separator",
        ),
    ],
)
def test_flattening_that_loses_a_field_names_its_setting(
    settings: dict[str, Any], nested: dict[str, str], words: str
) -> None:
    text = {"type": "string"}
    fields = {
        name: {"type": "object", "properties": {child: text}} for name, child in nested.items()
    }
    config = {"flattening_enabled": True, "flattening_max_depth": 2} | settings
    with pytest.raises(MapError, match=words):
        CheckedMapper(config, logging.getLogger()).register_raw_stream_schema(
            "email_open", {"properties": {"portalId": text, **fields}}, ["portalId"]
        )


def test_a_faker_that_cannot_be_made_names_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the package does with a locale that it does not know.
    def refuse(*locales: object) -> None:
        raise AttributeError(f"Invalid configuration for faker locale {locales}")

    faker = ModuleType("faker")
    faker.__spec__ = ModuleSpec("faker", None)
    faker.__dict__["Faker"] = refuse
    monkeypatch.setitem(sys.modules, "faker", faker)
    maps = {"email_open": {"user": "fake.name()"}}
    words = sentence(stream_maps=maps, faker_config={"locale": "xx"})
    assert "The setting faker_config cannot be used (AttributeError)" in words


def test_a_map_that_a_later_one_takes_the_place_of_is_refused() -> None:
    maps: dict[str, Any] = {"email_open": {"recipient": None}, "email_*": {}}
    assert "put email_open after email_*" in sentence(stream_maps=maps)
    assert apply(stream_maps=dict(reversed(maps.items()))) == [
        {name: value for name, value in RECORD.items() if name != "recipient"}
    ]


def test_maps_are_matched_with_the_streams_there_are() -> None:
    def expect(*keys: str) -> None:
        mapper = CheckedMapper({"stream_maps": {key: {} for key in keys}}, logging.getLogger())
        mapper.expect({name: {} for name in ("email_open", "email_sent", "email_campaigns")})

    expect("email_*", "email_sent")
    for key, hint in (
        ("email_snet", "did you mean email_sent?"),
        ("emails_*", "did you mean email_*?"),
        ("Email_Open", "did you mean email_open?"),
        ("orders", "there are email_open, email_sent, email_campaigns."),
    ):
        with pytest.raises(MapError) as failure:
            expect(key)
        assert str(failure.value) == f"Stream map {key} matches no stream; {hint}"


def test_the_settings_given_stay_as_they_are() -> None:
    config: dict[str, Any] = {"stream_maps": {"__else__": None}}
    assert apply(**config) == [None]
    assert config == {"stream_maps": {"__else__": None}}


def test_a_map_that_drops_every_record_is_said_unless_another_passes_them_on() -> None:
    def said(maps: dict[str, Any]) -> list[str]:
        mapper = CheckedMapper({"stream_maps": maps}, logging.getLogger())
        for _ in range(2):  # a schema may come once more
            mapper.register_raw_stream_schema("email_open", SCHEMA, ["id"])
        for each in mapper.stream_maps["email_open"]:
            each.transform(dict(RECORD))
        mapper.check_matched()
        return list(mapper.warnings())

    (warning,) = said({"__else__": None, "orders": {}})
    assert "Stream map __else__ dropped every record of email_open (1);" in warning
    assert said({"email_open": None, "copy": {"__source__": "email_open"}}) == []
