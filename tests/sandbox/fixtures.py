"""The sandbox as tests get it; each process of theirs starts one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7) as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """An empty one that behaves well and, other than HubSpot, takes any number of requests."""
    running_sandbox.reset()
    running_sandbox.set_limits(requests_per_10_seconds=0)
    return running_sandbox
