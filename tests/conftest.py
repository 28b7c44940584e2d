from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.project import Project, empty_database

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("database"))


@pytest.fixture
def project(tmp_path: Path, sandbox: Sandbox, database: Path) -> Project:
    return Project(tmp_path, sandbox, database)
