"""What is written is there as a whole, however little is taken at a time."""

from __future__ import annotations

import itertools
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from full_pipe import through_a_full_pipe
from target_amplitude.common.output import open_output, write_all, write_whole

if TYPE_CHECKING:
    from pathlib import Path

LINES = b"".join(b"%09d\n" % number for number in range(50_000))


class Slow:
    """Takes so many bytes of each write, in turn; with 0 it has no room at present."""

    def __init__(self, room: list[int]) -> None:
        self._room = itertools.cycle(room)
        self.taken = b""

    def write(self, data: memoryview) -> int | None:
        room = next(self._room)
        self.taken += bytes(data[:room])
        return min(room, len(data)) or None

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        return 1


@given(
    st.binary(max_size=300),
    st.lists(st.integers(0, 90), min_size=1, max_size=6).filter(any),
)
def test_all_of_it_is_written_however_little_is_taken_at_a_time(
    data: bytes, room: list[int]
) -> None:
    stream: Any = Slow(room)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("target_amplitude.common.output._wait", lambda *_: None)
        write_whole(stream, data)
    assert stream.taken == data


@pytest.mark.parametrize("buffered", [True, False])
def test_a_pipe_that_does_not_block_gets_all_of_it(*, buffered: bool) -> None:
    received = through_a_full_pipe(lambda stream: write_whole(stream, LINES), buffered=buffered)
    assert received == LINES


def test_a_file_gets_all_of_it_and_is_its_owners_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda to, data: write(to, data[:5]))
    path = tmp_path / "new/file"
    for text in (b"first line\n", b"second line\n"):
        descriptor = open_output(path, append=True)
        write_all(descriptor, text)
        os.close(descriptor)
    assert path.read_bytes() == b"first line\nsecond line\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    os.close(open_output(path, append=False))
    assert path.read_bytes() == b""
