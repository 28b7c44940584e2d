from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import pytest

from loading.loader import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.client import Sandbox


@pytest.fixture
def full_file(tmp_path: Path) -> Iterator[str]:
    """A file on a disk that has no room for another byte of it."""
    path = tmp_path / "full.jsonl"
    path.touch()
    os.truncate(path, 1 << 30)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, before[1]))
    yield str(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def loader(sandbox: Sandbox, tmp_path: Path) -> Loader:
    return Loader(sandbox.amplitude_url, tmp_path)
