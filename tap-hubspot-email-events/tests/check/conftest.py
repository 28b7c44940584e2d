from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extracting.checking import Checking

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox


@pytest.fixture
def checking(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checking:
    sandbox.set_limits(requests_per_10_seconds=10_000)
    monkeypatch.chdir(tmp_path)
    return Checking(sandbox, tmp_path)
