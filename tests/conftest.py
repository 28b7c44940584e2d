from __future__ import annotations

import shutil
import subprocess
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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    options = (
        f"req -x509 -newkey rsa:2048 -nodes -keyout {path} -out {path}.crt -days 2 -subj /CN=x "
        "-addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([openssl, *options.split()], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_name("both.pem.crt").read_text())
    return path
