from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.project import Project, empty_database
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=11) as running:
        yield running


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("database"))


@pytest.fixture
def project(tmp_path: Path, sandbox: Sandbox, database: Path) -> Project:
    return Project(tmp_path, sandbox, database)
