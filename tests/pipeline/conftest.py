from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
MELTANO = ROOT / ".venv-meltano/bin/meltano"


class Project:
    """This checkout's Meltano project, with a state database and output files of its own."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "MELTANO_DATABASE_URI": f"sqlite:///{folder}/meltano.db",
            "TAP_HUBSPOT_EMAIL_EVENTS_API_URL": sandbox.hubspot_url,
            "TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN": "sandbox-access-token",
            "TARGET_AMPLITUDE_API_URL": sandbox.amplitude_url,
            "TARGET_AMPLITUDE_API_KEY": "sandbox-api-key",
            "TARGET_AMPLITUDE_REJECTED_PATH": str(folder / "rejected.singer.jsonl"),
        }

    def meltano(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `meltano` with the given arguments and return its exit code and output."""
        return subprocess.run(
            [str(MELTANO), *arguments],
            cwd=ROOT,
            env=self.environment | dict(environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=11) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, sandbox: Sandbox) -> Project:
    return Project(tmp_path, sandbox)
