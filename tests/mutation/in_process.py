"""Leaves out tests with a sandbox: they are slow, and many start a plugin that is not changed."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that run changed code in their own process."""
    items[:] = [
        item
        for item in items
        if isinstance(item, pytest.Function) and not {"sandbox", "hubspot"} & set(item.fixturenames)
    ]
