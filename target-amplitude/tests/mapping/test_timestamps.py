from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.mapping.timestamps import to_milliseconds


@given(st.datetimes(datetime(2006, 1, 1), datetime(2026, 12, 1)))  # noqa: DTZ001 - made aware below
def test_every_millisecond_is_read_right(moment: datetime) -> None:
    moment = moment.replace(tzinfo=timezone.utc, microsecond=moment.microsecond // 1000 * 1000)
    millis = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert to_milliseconds(text) == to_milliseconds(text) == millis


@pytest.mark.parametrize("learnt", ["1999-12-31T00:00:00.000Z", "1999-12-31 23:59:59.999"])
def test_one_time_of_a_day_tells_the_others_right(learnt: str) -> None:
    assert to_milliseconds(learnt) is not None
    midnight = datetime(1999, 12, 30, tzinfo=timezone.utc)
    for hours in range(72):
        moment = midnight + timedelta(hours=hours, minutes=8, seconds=9, milliseconds=10)
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert to_milliseconds(text) == moment.timestamp() * 1000
