"""Addresses that may get secrets, and headers that say a time or a wait."""

from __future__ import annotations

import math
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from target_amplitude.common.http import is_safe_address, parse_date, retry_after

AT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc).timestamp()
LONGEST = 300


def waited(text: str, **headers: str) -> float | None:
    return retry_after(CaseInsensitiveDict({"retry-after": text, **headers}), LONGEST, now=AT)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("-5", None),
        ("nan", None),
        ("1.5", 1.5),
        ("86400", LONGEST),
        ("9" * 5000, LONGEST),
        ("Sat, 31 Jan 2026 12:00:10 GMT", 10),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0),
        ("Sat, 31 Jan 2026 12:00:10 -0000", 10),
        ("Sat, 31 Jan 2026 14:00:10 +0200", 10),
        ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST),
        ("Sat, 31 Jan 2026 12:00:10 +9999999999999", None),
        (f"Sat, 31 Jan {'9' * 5000} 12:00:10 GMT", None),
        ("Thu, 99 Oct 2025 08:53:20 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert waited(text) == seconds


def test_a_date_counts_from_the_answers_own_where_it_has_one() -> None:
    date = "Fri, 01 Jan 2100 00:00:00 GMT"
    assert waited(date, date="Thu, 31 Dec 2099 23:59:50 GMT") == 10
    assert waited(date, date="soon") == LONGEST


def test_a_date_counts_from_this_machines_time_where_no_other_is_known() -> None:
    assert retry_after({"Retry-After": "Sat, 01 Jan 2000 00:00:00 GMT"}, LONGEST) == 0
    assert retry_after({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, LONGEST) == LONGEST
    assert retry_after({}, LONGEST) is None


DATES = st.from_regex(r"\w{3}, \d{1,5} \w{3} \d{1,9} \d{1,3}:\d{1,3}:\d{1,3} [-+]?\w{1,20}")


@given(st.text() | st.floats().map(str) | DATES, st.text() | DATES)
def test_no_text_is_a_surprise(text: str, date: str) -> None:
    wait = retry_after({"Retry-After": text, "Date": date}, LONGEST, now=AT)
    assert wait is None or 0 <= wait <= LONGEST
    said = parse_date(text)
    assert said is None or math.isfinite(said)


@pytest.mark.parametrize(
    "url",
    [
        "https://eu.example",
        "https://a.example:443",
        "https://a.example/path/",
        "http://localhost:1",
        "http://127.0.0.1:8080",
        "http://[::1]:80",
    ],
)
def test_https_and_loopback_addresses_are_safe(url: str) -> None:
    assert is_safe_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "x",
        "https://",
        "ftp://localhost",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://[",
        "https://user@a.example",
        "https://:pass@a.example",
        "https://a.example?b=c",
        "https://a.example#b",
        "https://a.example:port",
        "https://a.example:0",
        "https://a.example:70000",
    ],
)
def test_other_addresses_are_not(url: str) -> None:
    assert not is_safe_address(url)
