"""A state is written as a whole."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import pytest

from full_pipe import through_a_full_pipe
from target_amplitude.errors import RunFailedError
from target_amplitude.run import write_state

if TYPE_CHECKING:
    from typing import BinaryIO

STATE = json.dumps({"bookmarks": {f"stream-{n}": "x" * 1000 for n in range(300)}}).encode()


@pytest.mark.parametrize("buffered", [True, False])
def test_a_state_larger_than_the_pipe_is_written_as_a_whole(*, buffered: bool) -> None:
    def write(stream: BinaryIO) -> None:
        with redirect_stdout(io.TextIOWrapper(stream, write_through=not buffered)) as text:
            write_state(STATE)
            write_state(b"{}")
            text.detach()

    assert through_a_full_pipe(write, buffered=buffered) == STATE + b"\n{}\n"


def test_what_only_takes_text_gets_text() -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        write_state(b'{"a": 1}')
    assert out.getvalue() == '{"a": 1}\n'


def test_where_nobody_reads_the_state_it_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as raw:
        text = io.TextIOWrapper(raw, write_through=True)
        monkeypatch.setattr(sys, "stdout", text)
        with pytest.raises(RunFailedError, match="State cannot be written"):
            write_state(b"{}")
