from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from sandbox_tests.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Sandbox


@pytest.fixture
def services(sandbox: Sandbox) -> Iterator[Services]:
    with requests.Session() as session:
        yield Services(sandbox, session)
