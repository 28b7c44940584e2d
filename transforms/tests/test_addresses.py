from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper_email_events.addresses import replace_addresses

LOCALS = st.from_regex(r"[a-z0-9][a-z0-9.+_'-]{0,18}[a-z0-9]", fullmatch=True)
HOSTS = st.from_regex(r"[a-z0-9]{1,10}(\.[a-z]{2,6}){1,3}", fullmatch=True)
ADDRESSES = st.builds("{}@{}".format, LOCALS, HOSTS)
AROUND = st.text(alphabet=' \n<>()[]:;,?&"/|äö日', max_size=12)


def found_in(text: str) -> tuple[str, list[str]]:
    found: list[str] = []

    def note(address: str) -> str:
        found.append(address)
        return f"#{len(found)}"

    return replace_addresses(text, note), found


@given(ADDRESSES, AROUND, AROUND)
def test_an_address_in_text_is_found_as_it_is(address: str, before: str, after: str) -> None:
    before = re.sub(r"\w$", " ", before)
    after = re.sub(r"^\w", " ", after)

    text, found = found_in(before + address + after)

    assert found == [address]
    assert text == f"{before}#1{after}"


@given(ADDRESSES, st.integers(1, 3))
def test_an_address_in_a_query_string_is_found_however_often_it_is_encoded(
    address: str, times: int
) -> None:
    encoded = address
    for _ in range(times):
        encoded = quote(encoded, safe="")

    text, found = found_in(f"https://example.com/a?email={encoded}&x=1")

    assert found == [address]
    assert text == "https://example.com/a?email=#1&x=1"


@given(st.text(alphabet="ab@.%402+=<>'\"/?&\\u0; ", max_size=40))
def test_no_text_keeps_letters_on_both_sides_of_an_at_sign(text: str) -> None:
    treated, _ = found_in(text)

    assert not re.search(r"[ab][@][ab]", treated)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"Ada" <ada@example.com>', '"Ada" <#>'),
        ("'ada@example.com'", "'#'"),
        ("mailto:ada@example.com?subject=x", "mailto:#?subject=x"),
        ("email%3Dada%40example.com%26x", "email%3D#%26x"),
        ("100%ada@example.com", "#"),
        ("to=<ada@[192.0.2.1]>", "to=<#>"),
        ('550 "ada lovelace"@example.com refused', "550 # refused"),
        ("bounce+ada=example.com@mta.example.net", "#"),
        ("?email=ada.byron@example.com", "?email=#"),
        ("&email=ada.byron@example.com", "&email=#"),
        (r"{\"to\": \"ada\u0040example.com\"}", r"{\"to\": \"#\"}"),
        ("ada&#64;example.com", "#"),
        ("m%C3%BCller%40example.com", "#"),
        ("müller@bücher.example", "#"),
        ("ada@example.com,bob@example.com", "#,#"),
        ("https://video.example/@brand/1?v=40", "https://video.example/@brand/1?v=40"),
        ("ping @ 10:40", "ping @ 10:40"),
        ("root@localhost.", "#."),
    ],
)
def test_addresses_go_and_the_rest_stays(text: str, expected: str) -> None:
    assert replace_addresses(text, lambda _: "#") == expected


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    text = ("a" * 200_000 + "@") * 2 + "%" * 200_000

    treated, found = found_in(text)

    assert len(found) == 1
    assert len(treated) < len(text)
