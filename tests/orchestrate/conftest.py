from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.project import empty_database

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("database"))
