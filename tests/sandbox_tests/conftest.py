from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox_tests.services import Services

if TYPE_CHECKING:
    from sandbox.client import Sandbox


@pytest.fixture
def services(sandbox: Sandbox) -> Services:
    return Services(sandbox)
