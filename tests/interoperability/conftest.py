from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interoperability import postgres
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=11) as running:
        running.set_limits(requests_per_10_seconds=0)
        yield running


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Postgres]:
    if lacking := postgres.missing():
        pytest.skip(f"needs PostgreSQL: {lacking} not installed")
    with postgres.running_postgres() as (running, _):
        yield running
