"""Words of others are fit to be shown: one line, bounded, without addresses."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.common.text import LONGEST_WORD, fit, scrub

ADDRESSES = (
    "jane@example.com",
    "jane.doe+x=1&y@sub.example.co.uk",
    "<jane@example.com>,",
    "mailto:jane@example.com?subject=x",
    "https://x.example/contact/jane%40example.com/profile",
    '{"to":"jane@example.com"}',
    "'jane@example.com'",
    '"jane doe"@example.com',
    "jane&#64;example.com",
    "jane&#x40;example.com",
    "jane\\u0040example.com",
    "jane\N{FULLWIDTH COMMERCIAL AT}example.com",
    "https://x.example/?a=jane%252540example.com",
    "jane=40example.com",
    "jane&#0064;example.com",
    "jane&commat;example.com",
    "jane\\\\x40example.com",
    "o'jane@example.com",
    r'"a\"jane"@example.com',
    "jane@[192.0.2.1]",
    "jane@localhost",
    "output/jane@example.com/rejected.jsonl",
    "jane\u200b@example.com",
)


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_is_left_out(text: str) -> None:
    assert "jane" not in fit(text)


def test_what_is_no_address_stays() -> None:
    for text in ("'@example.com'", "split('@')[1]", "/output/rejected.jsonl", "a@ b", "100 %"):
        assert fit(text) == text


@given(st.text(max_size=300), st.integers(1, 300))
def test_whatever_it_is_it_is_one_line_of_what_can_be_seen_and_bounded(
    text: str, most: int
) -> None:
    shown = fit(text, most)
    assert shown.isprintable()
    assert len(shown) <= most + 1
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode()


def test_what_is_escaped_can_be_told() -> None:
    odd = "\x1b[2J\n\r\t\x00\x85\u2028\u202e\u200b\u2800\ufe0f\U000e0041\ud800\xa0"
    seen = r"\x1b[2J\n\r\t\x00\x85\u2028\u202e\u200b\u2800\ufe0f\U000e0041\ud800\xa0"
    assert fit(odd) == seen
    assert fit(seen) == seen


def test_a_cut_leaves_no_half_of_an_address() -> None:
    text = "x@y.z " * 200
    for more in range(40):
        assert "jane" not in fit(text[: 4 * LONGEST_WORD - more] + "jane.doe@example.com")
    assert fit("ab " * 66 + "cde") == "ab " * 66 + "cd…"


def test_of_services_nothing_stays_that_may_be_a_token() -> None:
    assert scrub("for jane@example.com,\nplease") == r"for …,\nplease"
    assert scrub("a-token-of-twenty-ch") == "…"
    assert scrub("nineteen-characters") == "nineteen-characters"
    assert scrub("EXPIRED_AUTHENTICATION") == "EXPIRED_AUTHENTICATION"
    assert scrub("for EXPIRED_AUTHENTICATION7") == "for …"
