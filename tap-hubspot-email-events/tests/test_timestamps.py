"""Instants are written in one form and read in all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.timestamps import format_timestamp, parse_timestamp

instants = st.integers(-62_135_596_800_000, 253_402_300_799_999)


@given(instants)
def test_instants_are_written_as_rfc_3339_and_read_back(milliseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    text = format_timestamp(milliseconds)
    assert text == moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    assert parse_timestamp(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2025-10-09T08:53:20Z", 1_760_000_000_000),
        ("2025-10-09t08:53:20z", 1_760_000_000_000),
        ("2025-10-09T10:53:20+02:00", 1_760_000_000_000),
        ("2025-10-09T03:23:20-0530", 1_760_000_000_000),
        (" 2025-10-09 08:53:20 ", 1_760_000_000_000),
        ("1970-01-01T00:00:01.5", 1500),
        ("1970-01-01T00:00:01,05Z", 1050),
        ("1970-01-01T00:00:01.0509", 1050),
        ("1970-01-01T00:00:00.123456789Z", 123),
        ("1970-01-01T00:02", 120_000),
        ("1970-01-02", 86_400_000),
        ("1970-01-02T00:00:00+23:00", 3_600_000),
        ("1970-01-01T00:00:00-1130", 41_400_000),
    ],
)
def test_dates_are_read_in_all_their_forms(text: str, milliseconds: int) -> None:
    assert parse_timestamp(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-01", "2025-02-30T00:00:00Z", "20251009"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_timestamp(text)


@pytest.mark.parametrize("instant", [-62_135_596_800_001, 253_402_300_800_000, 10**18])
def test_instants_outside_the_calendar_are_refused(instant: int) -> None:
    with pytest.raises(ValueError, match=r"^outside the years 1 to 9999$"):
        format_timestamp(instant)
