from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extracting.extractor import Runner

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox


@pytest.fixture
def hubspot(sandbox: Sandbox) -> Sandbox:
    """The sandbox with HubSpot's own limit."""
    sandbox.set_limits(requests_per_10_seconds=190)
    return sandbox


@pytest.fixture
def tap(sandbox: Sandbox, tmp_path: Path) -> Runner:
    return Runner(sandbox, tmp_path)
