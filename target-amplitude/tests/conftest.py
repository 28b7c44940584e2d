from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loading.loader import Loader
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    _sandbox.reset()
    return _sandbox


@pytest.fixture
def loader(sandbox: Sandbox, tmp_path: Path) -> Loader:
    return Loader(sandbox.amplitude_url, tmp_path)
