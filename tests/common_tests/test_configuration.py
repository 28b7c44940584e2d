"""A value means the same whether it comes as JSON or as text."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.common.configuration import read_configuration
from target_amplitude.common.declaration import setting


class Some(msgspec.Struct, kw_only=True):
    flag: Annotated[bool, setting("Flag", "A flag.")] = False
    count: Annotated[int, setting("Count", "A count.", least=1, most=100)] = 1
    share: Annotated[float, setting("Share", "A share.", least=0)] = 1
    any_number: Annotated[float, setting("Any", "Any number.")] = 1
    most: Annotated[float, setting("Most", "Up to five.", most=5)] = 1
    limit: Annotated[int, setting("Limit", "A limit.", least=0)] | None = None
    choice: Annotated[Literal["on", "other"], setting("Choice", "A choice.")] = "on"
    text: Annotated[str, setting("Text", "A text.")] = ""
    prefix: Annotated[str, setting("Prefix", "A prefix.", keeps_blanks=True)] = "x "
    secret: Annotated[str | None, setting("Secret", "A secret.", secret=True)] = None
    private: Annotated[str | None, setting("Private", "Not shown.", private=True)] = None
    names: Annotated[list[str], setting("Names", "Names.")] = []
    texts: Annotated[dict[str, str], setting("Texts", "Texts.")] = {}
    anything: Annotated[dict[str, Any] | None, setting("Anything", "Anything.")] = None


FLAG = "Setting flag must be true or false"
COUNT = "Setting count must be a whole number from 1 to 100"
SHARE = "Setting share must be a number of at least 0"
CHOICE = "Setting choice must be one of on, other"
NAMES = "Setting names must be a list of words, as JSON or with commas between them"
TEXTS = "Setting texts must be a JSON object that holds only text"
SECRET = "Setting secret must be text of printable ASCII characters"


def read(name: str, value: Any) -> Any:
    reading = read_configuration(Some, {name: value})
    assert reading.problems == []
    return reading.values.get(name, "unset")


def problem(name: str, value: Any) -> str:
    reading = read_configuration(Some, {name: value})
    assert reading.values == {}
    (sentence,) = reading.problems
    return sentence


@pytest.mark.parametrize(
    ("name", "meant", "values"),
    [
        ("flag", True, ["true", "t", "yes", "y", "on", "1", "TRUE", " True\n", 1, True]),
        ("flag", False, ["false", "f", "no", "n", "off", "0", "False", "\tOFF", 0, False]),
        ("share", 12.5, ["12.5", 12.5, " 12.5"]),
        ("share", 0, ["0.", "0", 0]),
        ("any_number", -1e9, [-1e9, "-1000000000"]),
        ("most", 5, [5, "5"]),
        ("most", -1, [-1]),
        ("choice", "on", ["on", "ON", " on "]),
        ("text", "a b", ["a b", " a b "]),
        ("prefix", "[HubSpot] ", ["[HubSpot] "]),
        ("prefix", "unset", [" "]),
        ("names", ["a", "b"], ["a,b", " a , b ", '["a", "b"]', ["a", " b"], '["a"\n,"b"]']),
        ("anything", {"a": {"b": None}}, [{"a": {"b": None}}, ' {"a": {"b": null}}']),
    ],
)
def test_what_a_value_means(name: str, meant: Any, values: list[Any]) -> None:
    assert [read(name, value) for value in values] == [meant] * len(values)


@given(st.integers(1, 100), st.sampled_from(["{}", " {}", "{}\n", "+{}", "{}.0"]))
def test_whole_numbers_as_text(number: int, form: str) -> None:
    for value in (number, float(number), form.format(number)):
        made = read("count", value)
        assert made == number
        assert type(made) is int


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("flag", "maybe", f'{FLAG}, not "maybe".'),
        ("flag", "ä" * 58, f'{FLAG}, not "{"ä" * 58}".'),
        ("flag", "ä" * 59, f'{FLAG}, not "{"ä" * 59}....'),
        ("count", "x", f'{COUNT}, not "x".'),
        ("share", "x", f'{SHARE}, not "x".'),
        ("any_number", "x", 'Setting any_number must be a number, not "x".'),
        ("most", 5.5, "Setting most must be a number, not 5.5."),
        ("choice", "off", f'{CHOICE}, not "off".'),
        ("choice", 1, f"{CHOICE}, not 1; put it into quotes."),
        ("choice", False, f"{CHOICE}, not false; put it into quotes."),
        ("text", 12, "Setting text must be text, not 12; put it into quotes."),
        ("text", ["a"], "Setting text must be text, not this list."),
        ("text", {"a": 1}, "Setting text must be text, not this object."),
        ("text", Decimal("1.5"), 'Setting text must be text, not "1.5".'),
        ("secret", 5, f"{SECRET}; put it into quotes."),
        ("private", 5, "Setting private must be text; put it into quotes."),
        ("names", {"token": "s3cr3t"}, f"{NAMES}, not this object."),
        ("names", "[1]", f'{NAMES}, not "[1]".'),
        ("texts", "x", f'{TEXTS}, not "x".'),
        ("anything", [1], "Setting anything must be a JSON object, not this list."),
    ],
)
def test_the_sentence_as_a_whole(name: str, value: Any, sentence: str) -> None:
    assert problem(name, value) == sentence


@given(st.text(min_size=1).filter(str.strip))
def test_a_sentence_stays_one_line_of_bounded_length(value: str) -> None:
    for sentence in read_configuration(Some, {"choice": value}).problems:
        assert "\n" not in sentence
        assert len(sentence) < 500


@pytest.mark.parametrize("value", ["k\n", " k ", '"k"', "'k'", "`k`", '"k"\n', "\u201ck\u201d"])
def test_blanks_and_quotes_around_a_secret_are_taken_off_with_a_warning(value: str) -> None:
    reading = read_configuration(Some, {"secret": value})
    assert reading.values == {"secret": "k"}
    assert reading.warnings == [
        "Setting secret has blanks or quotes around it; they were left out, so take them away "
        "where it is set."
    ]
    assert read_configuration(Some, {"secret": "k"}).warnings == []


def test_an_unknown_setting_is_named_with_the_one_that_may_be_meant() -> None:
    reading = read_configuration(Some, {"flagg": True, "zzz": 1})
    assert reading.warnings == [
        "Setting flagg is unknown, so it has no effect; did you mean flag?",
        "Setting zzz is unknown, so it has no effect.",
    ]
