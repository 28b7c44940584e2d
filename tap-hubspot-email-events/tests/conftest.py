from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extracting.extractor import Runner
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as running:
        yield running


@pytest.fixture
def hubspot(_running: Sandbox) -> Sandbox:
    _running.reset()
    return _running


@pytest.fixture
def sandbox(hubspot: Sandbox) -> Sandbox:
    hubspot.set_limits(requests_per_10_seconds=0)
    return hubspot


@pytest.fixture
def tap(sandbox: Sandbox, tmp_path: Path) -> Runner:
    return Runner(sandbox, tmp_path)
