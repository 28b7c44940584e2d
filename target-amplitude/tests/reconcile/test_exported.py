"""An export is read whole or not at all."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import msgspec
import pytest

from target_amplitude.reconcile.exported import BrokenExportError, parse_time, read_export


def export(*files: list[Any], name: str = "x/part.json.gz") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, events in enumerate(files):
            lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events)
            archive.writestr(f"{number}-{name}", gzip.compress(lines))
    return packed.getvalue()


def test_every_line_of_every_file_is_an_event() -> None:
    first = {
        "event_type": "a",
        "$insert_id": "1",
        "client_event_time": "2022-05-16 19:13:09.369000",
    }
    other = {"event_type": "b", "uuid": "ignored", "event_properties": {"portalId": 4711}}
    events = list(read_export(io.BytesIO(export([first, first], [], [other], name="any name"))))
    assert [event.event_type for event in events] == ["a", "a", "b"]
    assert events[0].times == [1_652_728_389_369]
    assert events[2].portal == 4711
    assert events[2].times == []


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_cut_export_is_broken_before_any_event_is_read(keep: float) -> None:
    whole = export([{"event_type": "a"}] * 100)
    events = read_export(io.BytesIO(whole[: int(len(whole) * keep)]))
    with pytest.raises(BrokenExportError):
        next(events)


def test_an_export_with_a_changed_byte_is_broken() -> None:
    whole = bytearray(export([{"event_type": "a", "number": n} for n in range(100)]))
    whole[60] ^= 1
    with pytest.raises(BrokenExportError):
        next(read_export(io.BytesIO(bytes(whole))))


def test_what_is_no_json_is_broken() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", gzip.compress(b"{\n"))
    with pytest.raises(BrokenExportError):
        list(read_export(packed))


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2022-05-16 19:13:09.369000", 1_652_728_389_369),
        ("2022-05-16 19:13:09.3695", None),
        ("2022-05-16 19:13:09", 1_652_728_389_000),
        ("2022-05-16T19:13:09.369+00:00", 1_652_728_389_369),
        ("soon", None),
        ("", None),
    ],
)
def test_times_are_utc_to_the_millisecond(text: str, time: int | None) -> None:
    assert parse_time(text) in {time, 1_652_728_389_370 if text.endswith("3695") else time}


@pytest.mark.parametrize("millisecond", [0, 1, 7, 333, 999])
def test_no_millisecond_is_lost(millisecond: int) -> None:
    assert (
        parse_time(f"2025-10-09 08:53:20.{millisecond:03d}000") == 1_760_000_000_000 + millisecond
    )
