"""Times in all the forms that taps send them in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.mapping.timestamps import to_milliseconds

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - made aware below
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timedelta(minutes=minutes))


@given(
    MOMENTS,
    st.integers(0, 9),
    OFFSETS,
    st.sampled_from("T "),
    st.sampled_from(["", ":"]),
    st.sampled_from(["", " "]),
)
def test_every_millisecond_is_read_right(  # noqa: PLR0913, PLR0917 - the parts of a timestamp
    moment: datetime,
    digits: int,
    offset: timedelta,
    between: str,
    colon: str,
    blank: str,
) -> None:
    fraction = f"{moment.microsecond:06}000"[:digits]
    whole = moment.replace(microsecond=0, tzinfo=timezone.utc)
    millis = (whole - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    millis += int(fraction.ljust(3, "0")[:3])
    text = f"{moment:%H:%M:%S}{'.' if fraction else ''}{fraction}{blank}"
    text = f"{moment.year:04}-{moment:%m-%d}{between}{text}"
    zone = f"{timezone(offset)}"[3:] or "+00:00"
    for suffix in ("", "Z", "z"):
        assert to_milliseconds(f" {text}{suffix}\n") == millis
    shifted = to_milliseconds(text + zone.replace(":", colon))
    assert shifted == millis - offset // timedelta(milliseconds=1)


@given(
    st.sampled_from(
        ["2025-10-09T08:53:20.000Z", "0001-01-01T00:00:00+2359", "9999-12-31T23:59:59.9999"]
    ),
    st.lists(
        st.tuples(st.integers(0, 23), st.sampled_from("059 TZtz:.,+-W\0\n\u0661")), max_size=3
    ),
)
def test_damaged_text_is_read_the_same_whichever_way_it_is_read(
    text: str, damages: list[tuple[int, str]]
) -> None:
    for place, character in damages:
        text = text[:place] + character + text[place + 1 :]
    # Text of another length takes the general way.
    assert to_milliseconds(text) == to_milliseconds(f"{text} ")


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1234567890123456", 1234567890123456),
        ("12345678901234567", None),
        ("١٢٣", None),
        ("1970-13-01T00:00:00Z", None),
        ("1970-01-01T00:00:00+24:00", None),
        ("1970-01-01t00:00:00Z", None),
        ("1970-01-01t00:00:00.000Z", None),
        ("1970-01-01T00:00:00\x00000Z", None),
        ("2025-10-09T08:53:2\\u0030", None),
        ("2025-10-09T08:53:20.00\ud800Z", None),
        ('2025-10-09T08:53:20.00"Z', None),
        ("1970-01-01T00:00:00,500Z", None),
        ("1970-01-01T00:00:00.1234567890Z", None),
        ("19700101T000000Z", None),
        ("1970-01-01", None),
        ("-5", None),
        ("", None),
        ("0001-01-01T00:00:00.000+23:59", -62_135_683_140_000),
    ],
)
def test_times_in_all_their_forms(text: str, milliseconds: int | None) -> None:
    assert to_milliseconds(text) == milliseconds


def test_times_may_be_of_pythons_own_kind() -> None:
    utc = datetime(2026, 11, 1, tzinfo=timezone.utc)
    assert to_milliseconds(utc) == 1_793_491_200_000
    assert type(to_milliseconds(utc)) is int
    assert to_milliseconds(utc.replace(tzinfo=None)) == 1_793_491_200_000
    east = utc.astimezone(timezone(timedelta(hours=2)))
    assert to_milliseconds(east) == 1_793_491_200_000
    assert to_milliseconds(None) is None
    assert to_milliseconds(float("inf")) is None
