"""How input is cut into blocks of whole lines."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from target_amplitude.input import lines
from target_amplitude.input.lines import Wakeup, read_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK, BLOCK, LONGEST = 24, 8, 40

contents = st.builds(
    bytes.__add__,
    st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"") + b"\n")).map(
        b"".join
    ),
    st.binary(max_size=30).map(lambda rest: rest.replace(b"\n", b"")),
)


def blocks_of(content: bytes) -> Iterator[bytes]:
    wakeup = Wakeup()
    try:
        yield from read_blocks(io.BytesIO(content), wakeup, None)
    finally:
        wakeup.close()


@given(contents)
def test_blocks_are_the_input_in_whole_lines_and_small(content: bytes) -> None:
    with mock.patch.multiple(lines, _CHUNK=CHUNK, _BLOCK=BLOCK, MAX_LINE_BYTES=LONGEST):
        blocks = list(blocks_of(content))
    whole = [line + b"\n" for line in content.split(b"\n")]
    assert b"".join(blocks) == b"".join(line[: LONGEST + 1] for line in whole)
    assert all(len(block) <= BLOCK or block.count(b"\n", 0, -1) == 0 for block in blocks)


def test_blocks_of_ordinary_size_hold_many_lines() -> None:
    content = b"x" * 499 + b"\n"
    blocks = list(blocks_of(content * 10_000))
    assert sum(map(len, blocks)) == 5_000_001
    assert len(blocks) < 200
