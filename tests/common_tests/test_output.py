"""What is written is there as a whole, however little is taken at a time."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from target_amplitude.common.output import open_output, write_all

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
