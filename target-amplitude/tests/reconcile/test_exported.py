"""An export is read to its end within limits, and a bad line costs that line."""

from __future__ import annotations

import gzip
import io
import json
import re
import time
import zipfile
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.input.lines import MAX_LINE_BYTES
from target_amplitude.reconcile.archive import BrokenExportError
from target_amplitude.reconcile.comparison import Comparison
from target_amplitude.reconcile.exported import ExportedEvent, parse_time, read_export


def export(*files: bytes, method: int = zipfile.ZIP_STORED, name: str = "x/part-") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"{name}{number}", content)
    return packed.getvalue()


def lines_of(*events: object) -> bytes:
    return b"".join(msgspec.json.encode(event) + b"\n" for event in events)


def read(archive: bytes) -> tuple[list[ExportedEvent], Counter[str]]:
    unreadable: Counter[str] = Counter()
    return list(read_export(io.BytesIO(archive), unreadable)), unreadable


def types(archive: bytes) -> list[str | None]:
    events, unreadable = read(archive)
    assert not unreadable
    return [event.event_type for event in events]


GOOD = gzip.compress(lines_of({"event_type": "a"}, {"event_type": "b"}))
LONG = gzip.compress(lines_of(*({"event_type": "a", "number": number} for number in range(100))))


def test_every_line_of_every_file_is_an_event() -> None:
    first = {
        "event_type": "a",
        "$insert_id": "1",
        "client_event_time": "2022-05-16 19:13:09.369000",
    }
    other = {"event_type": "b", "uuid": "ignored", "event_properties": {"portalId": 4711}}
    files = (lines_of(first, first), b"", lines_of(other).strip())
    events, unreadable = read(export(*map(gzip.compress, files)))
    assert [event.event_type for event in events] == ["a", "a", "b"]
    assert events[0].times == [1_652_728_389_369]
    assert [event.portal for event in events] == [None, None, 4711]
    assert events[2].times == []
    assert not unreadable


@pytest.mark.parametrize(
    "content",
    [GOOD, GOOD + gzip.compress(b""), lines_of({}), b""],
    ids=["gzip", "gzip of two parts", "lines", "nothing"],
)
def test_a_file_may_have_parts_or_be_packed_by_the_archive_alone(content: bytes) -> None:
    archive = export(GOOD, content, method=zipfile.ZIP_DEFLATED)
    assert types(archive)[:2] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not JSON"),
        (b'{"event_type": "a"} {}', "not JSON"),
        (b'{"user_id": "\xff"}', "not UTF-8"),
        (b'{"user_id": "\\ud800"}', "not JSON"),
        (b'{"user_id": 5}', "with a value of another type"),
        (b'{"$insert_id": 5}', "with a value of another type"),
        (b'{"event_type": ["a"]}', "with a value of another type"),
        (b"[1]", "with a value of another type"),
        (b'{"x": %b}' % (b"[" * 5000 + b"]" * 5000), "nested too deep"),
        (b'{"event_properties": %b}' % (b'{"a":' * 5000 + b"1" + b"}" * 5000), "nested too deep"),
        (b'{"x": "%b"}' % (b"x" * MAX_LINE_BYTES), "longer than any event"),
        (b"x" * 3 * MAX_LINE_BYTES, "longer than any event"),
    ],
    ids=lambda each: each[:30],
)
def test_a_bad_line_costs_that_line(line: bytes, problem: str) -> None:
    content = lines_of({"event_type": "a"}) + line + b"\n" + lines_of({"event_type": "b"})
    events, unreadable = read(export(gzip.compress(content)))
    assert [event.event_type for event in events] == ["a", "b"]
    assert unreadable == {problem: 1}


@pytest.mark.parametrize(
    "stray", [b"Read me", b"\x89PNG\r\n", export(GOOD), b"PK"], ids=["text", "PNG", "zip", "PK"]
)
def test_a_stray_file_costs_that_file(stray: bytes) -> None:
    events, unreadable = read(export(stray, GOOD, stray))
    assert [event.event_type for event in events] == ["a", "b"]
    assert unreadable.total() >= 2


def changed(archive: bytes, old: bytes, new: bytes) -> bytes:
    assert old in archive
    return archive.replace(old, new)


def with_a_hidden_file(archive: bytes) -> bytes:
    """Let the second entry of the directory be the comment of the first."""
    first, second = (found.start() for found in re.finditer(b"PK\1\2", archive))
    length = (archive.index(b"PK\5\6") - second).to_bytes(2, "little")
    return archive[: first + 32] + length + archive[first + 34 :]


BROKEN = {
    "empty": b"",
    "no zip": b"no zip",
    "gzip alone": GOOD,
    "cut in the middle": export(LONG)[:100],
    "cut at its end": export(LONG)[:-10],
    "no event in it": export(gzip.compress(b"{\n")),
    "a file that its directory hides": with_a_hidden_file(export(GOOD, LONG)),
    "an archive in it": export(export(GOOD)),
    "a file that is cut": export(GOOD, LONG[:-20]),
    "a file with a hole": export(GOOD, LONG[:50] + b"\0" * 20),
    "a file of another checksum": export(GOOD, LONG[:-8] + b"\0" * 8),
    "LZMA": export(GOOD, LONG, method=zipfile.ZIP_LZMA),
    "bzip2": export(GOOD, LONG, method=zipfile.ZIP_BZIP2),
    "encrypted": changed(export(GOOD), b"\x14\x00\x00\x00\x00\x00", b"\x14\x00\x01\x00\x00\x00"),
    "an unknown method": changed(
        export(GOOD), b"\x14\x00\x00\x00\x00\x00", b"\x14\x00\x00\x00\x63\x00"
    ),
    "a line without an end": export(GOOD, gzip.compress(b"x" * 10**8)),
    "lines without an end": export(GOOD, gzip.compress(b"{}\n" * (10**8 // 3))),
    "lines packed twice": export(
        GOOD, gzip.compress(b"{}\n" * (10**8 // 3)), method=zipfile.ZIP_DEFLATED
    ),
    "gzip of nothing, often": export(GOOD, gzip.compress(b"") * 10**5, method=zipfile.ZIP_DEFLATED),
    "a name without an end": export(
        b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"x" * 10**8, method=zipfile.ZIP_DEFLATED
    ),
    "a long directory": export(GOOD, *[b""] * 100, name="x" * 60_000),
}


@pytest.mark.parametrize("archive", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_to_its_end_is_broken_before_any_event(archive: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BrokenExportError):
        next(read_export(io.BytesIO(archive), Counter()))
    assert time.process_time() - started < 2


changes = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 3), st.binary(max_size=4)), max_size=4
)


@given(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), changes)
def test_a_damaged_export_is_broken_or_whole(
    method: int, damages: list[tuple[int, int, bytes]]
) -> None:
    archive = bytearray(export(GOOD, LONG, GOOD, method=method))
    for place, count, piece in damages:
        archive[place : place + count] = piece
    try:
        events, unreadable = read(bytes(archive))
    except BrokenExportError:
        return
    assert len(events) + unreadable.total() == 104


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("portalId"), inner),
    max_leaves=5,
)
fields = st.sampled_from(
    ["event_type", "$insert_id", "user_id", "device_id", "event_properties", "event_time", "x"]
)


@given(st.lists(st.dictionaries(fields, values)))
def test_an_event_of_any_form_is_compared_or_counted(events: list[dict[str, Any]]) -> None:
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in ({}, *events))
    comparison = Comparison()
    comparison.add(b'{"event_type": "", "time": 5, "event_properties": {"portalId": [4711]}}')
    comparison.freeze()
    read_events, unreadable = read(export(gzip.compress(lines)))
    for event in read_events:
        comparison.note(event)
    assert len(read_events) + unreadable.total() == 1 + len(events)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        *(
            (f"2025-10-09 08:53:20.{millisecond:03d}000", 1_760_000_000_000 + millisecond)
            for millisecond in (0, 1, 7, 333, 999)
        ),
        ("2022-05-16 19:13:09", 1_652_728_389_000),
        ("2022-05-16T19:13:09.369+00:00", 1_652_728_389_369),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140_000),
        ("soon", None),
        ("", None),
    ],
)
def test_times_are_utc_to_the_millisecond(text: str, at: int | None) -> None:
    assert parse_time(text) == at
