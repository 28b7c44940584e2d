from __future__ import annotations

import pytest

from target_amplitude.mapping.user_agent import read_user_agent


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    read_user_agent.cache_clear()
