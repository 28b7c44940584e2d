from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.client import Sandbox
from sandbox_tests.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(seed=5) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture
def services(sandbox: Sandbox) -> Iterator[Services]:
    with requests.Session() as session:
        yield Services(sandbox, session)
