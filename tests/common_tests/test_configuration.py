"""A value means the same whether it comes as JSON or as text."""

from __future__ import annotations

import json
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


SECRET = "Setting secret must be text of printable ASCII characters; put it into quotes."


def read(name: str, value: Any) -> Any:
    reading = read_configuration(Some, {name: value})
    assert reading.problems == []
    return reading.values.get(name, "unset")


def problem(name: str, value: Any) -> str:
    reading = read_configuration(Some, {name: value})
    assert reading.values == {}
    (sentence,) = reading.problems
    return sentence


@pytest.mark.parametrize("word", ["true", "t", "yes", "y", "on", "1", "TRUE", " True\n", 1, True])
def test_words_for_true(word: Any) -> None:
    assert read("flag", word) is True


@pytest.mark.parametrize("word", ["false", "f", "no", "n", "off", "0", "False", "\tOFF", 0, False])
def test_words_for_false(word: Any) -> None:
    assert read("flag", word) is False


@pytest.mark.parametrize("word", ["ture", "enabled", "2", "-1", "y es", "null", 2, 1.0, [], {}])
def test_any_other_word_is_neither(word: Any) -> None:
    assert problem("flag", word).startswith("Setting flag must be true or false, not ")


@given(st.integers(1, 100), st.sampled_from(["{}", " {}", "{}\n", "+{}", "{}.0"]))
def test_whole_numbers_as_text(number: int, form: str) -> None:
    for value in (number, float(number), form.format(number)):
        made = read("count", value)
        assert made == number
        assert type(made) is int


@pytest.mark.parametrize(
    "value", ["1h", "1,000", "1.5", "0", "101", "1e1", "٣", "nan", 0, 1.5, True, [1], {}]
)
def test_what_is_no_such_number_is_a_sentence_with_its_bounds(value: Any) -> None:
    assert problem("count", value).startswith("Setting count must be a whole number from 1 to 100")


@pytest.mark.parametrize(("value", "share"), [("12.5", 12.5), ("10", 10), (0, 0), ("0.", 0)])
def test_decimals(value: Any, share: float) -> None:
    assert read("share", value) == share


@pytest.mark.parametrize("value", ["nan", "inf", "-1", float("nan"), float("inf"), "1e3", True])
def test_what_is_no_share_is_a_sentence(value: Any) -> None:
    assert problem("share", value).startswith("Setting share must be a number of at least 0")


@pytest.mark.parametrize(
    "name", ["flag", "count", "share", "limit", "choice", "text", "secret", "names", "texts"]
)
@pytest.mark.parametrize("value", ["", " ", "\n", None])
def test_empty_is_unset(name: str, value: Any) -> None:
    assert read(name, value) == "unset"


def test_blanks_are_kept_where_they_count() -> None:
    assert read("prefix", " ") == "unset"
    assert read("prefix", "[HubSpot] ") == "[HubSpot] "
    assert read("text", " a b ") == "a b"


@pytest.mark.parametrize("value", ["on", "ON", " on "])
def test_choices_in_any_case(value: str) -> None:
    assert read("choice", value) == "on"


def test_a_word_that_yaml_takes_for_another_type_is_to_be_quoted() -> None:
    assert problem("choice", value=False).endswith(
        "one of on, other, not false; put it into quotes."
    )
    assert problem("text", 12).endswith("must be text, not 12; put it into quotes.")
    assert "quotes" not in problem("choice", "off")


@pytest.mark.parametrize(
    "value", ["a,b", " a , b ", '["a", "b"]', ' ["a","b"]', ["a", " b"], '["a"\n,"b"]']
)
def test_lists_as_json_or_with_commas(value: Any) -> None:
    assert read("names", value) == ["a", "b"]


@pytest.mark.parametrize("value", ["a,,b", "a,", "[1]", "[", [1], [""], {"a": "b"}, 5])
def test_what_is_no_list_of_words_is_a_sentence(value: Any) -> None:
    assert problem("names", value).startswith("Setting names must be a list of words")


@given(st.dictionaries(st.text(), st.text()))
def test_objects_as_json(value: dict[str, str]) -> None:
    assert read("texts", value) == value
    assert read("texts", f" {json.dumps(value)} ") == value


@pytest.mark.parametrize("value", ["not json", "[]", "{", '{"a": 1}', {"a": None}, [], "5"])
def test_what_is_no_such_object_is_a_sentence(value: Any) -> None:
    assert problem("texts", value).startswith("Setting texts must be a JSON object that holds only")
    if value not in ('{"a": 1}', {"a": None}):
        assert problem("anything", value).startswith("Setting anything must be a JSON object,")


def test_objects_of_any_kind_are_taken_as_they_are() -> None:
    assert read("anything", {"a": {"b": None}}) == {"a": {"b": None}}


@pytest.mark.parametrize("value", ["k\n", " k ", '"k"', "'k'", "`k`", '"k"\n', "\u201ck\u201d"])
def test_blanks_and_quotes_around_a_secret_are_taken_off_with_a_warning(value: str) -> None:
    reading = read_configuration(Some, {"secret": value})
    assert reading.values == {"secret": "k"}
    assert reading.warnings == [
        "Setting secret has blanks or quotes around it; they were left out, so take them away "
        "where it is set."
    ]
    assert read_configuration(Some, {"secret": "k"}).warnings == []


@pytest.mark.parametrize("value", ["a\nb", "schl\u00fcssel", "a\x00", 5, '""', "\u200bkey"])
def test_what_no_secret_holds_is_a_sentence_without_it(value: Any) -> None:
    sentence = problem("secret", value)
    assert sentence.startswith("Setting secret must be text of printable ASCII characters")
    assert str(value) not in sentence


def test_a_value_that_may_hold_a_secret_is_not_shown() -> None:
    assert "5" not in problem("private", 5)
    assert "this object" in problem("names", {"token": "s3cr3t"})


@given(st.text(min_size=1).filter(str.strip))
def test_a_sentence_stays_one_line_of_bounded_length(value: str) -> None:
    for sentence in read_configuration(Some, {"choice": value}).problems:
        assert "\n" not in sentence
        assert len(sentence) < 500


def test_an_unknown_setting_is_named_with_the_one_that_may_be_meant() -> None:
    reading = read_configuration(Some, {"flagg": True, "zzz": 1})
    assert reading.warnings == [
        "Setting flagg is unknown, so it has no effect; did you mean flag?",
        "Setting zzz is unknown, so it has no effect.",
    ]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("flag", "maybe", 'Setting flag must be true or false, not "maybe".'),
        ("count", "x", 'Setting count must be a whole number from 1 to 100, not "x".'),
        ("share", "x", 'Setting share must be a number of at least 0, not "x".'),
        ("any_number", "x", 'Setting any_number must be a number, not "x".'),
        ("choice", "x", 'Setting choice must be one of on, other, not "x".'),
        ("choice", 1, "Setting choice must be one of on, other, not 1; put it into quotes."),
        ("text", ["a"], "Setting text must be text, not this list."),
        ("text", {"a": 1}, "Setting text must be text, not this object."),
        ("text", Decimal("1.5"), 'Setting text must be text, not "1.5".'),
        ("flag", "ä" * 58, f'Setting flag must be true or false, not "{"ä" * 58}".'),
        ("flag", "ä" * 59, f'Setting flag must be true or false, not "{"ä" * 59}....'),
        ("secret", 5, SECRET),
        ("private", 5, "Setting private must be text; put it into quotes."),
        (
            "names",
            "[1]",
            "Setting names must be a list of words, as JSON or with commas between them, not "
            '"[1]".',
        ),
        (
            "texts",
            "x",
            'Setting texts must be a JSON object that holds only text, not "x".',
        ),
        ("anything", [1], "Setting anything must be a JSON object, not this list."),
    ],
)
def test_the_sentence_as_a_whole(name: str, value: Any, sentence: str) -> None:
    assert problem(name, value) == sentence


def test_a_bound_counts_where_there_is_one() -> None:
    assert read("any_number", -1e9) == -1e9
    assert read("most", 5) == 5
    assert read("most", -1) == -1
    assert problem("most", 5.5).endswith(", not 5.5.")


def test_all_problems_are_said_at_once() -> None:
    reading = read_configuration(Some, {"flag": "x", "count": "x", "names": "a"})
    assert len(reading.problems) == 2
    assert reading.values == {"names": ["a"]}
