"""What is written is there as a whole, however little is taken at a time."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from target_amplitude.common.output import open_output, read_file, write_all

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_file_is_read_up_to_a_limit_or_from_near_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_file(path, last=3) == b"789"
    monkeypatch.setattr("target_amplitude.common.output._MOST_BYTES", 9)
    with pytest.raises(OSError, match="larger than"):
        read_file(path)
