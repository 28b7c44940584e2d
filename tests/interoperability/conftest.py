from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interoperability import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Postgres]:
    if lacking := postgres.missing():
        pytest.skip(f"needs PostgreSQL: {lacking} not installed")
    with postgres.running_postgres() as (running, _):
        yield running
