from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from loading.messages import OPEN, record, run_of

if TYPE_CHECKING:
    import pytest

    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_a_dry_run_counts_and_sends_nothing(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    states = loader.load([*run_of(200), record(201, recipient="")], dry_run=True)
    assert states == []
    assert sandbox.amplitude_stats()["requests"] == 0
    assert not loader.rejected_path.exists()
    summary = loader.streams["email_open"]
    assert (summary["read"], summary["delivered"], summary["distinct_users"]) == (201, 200, 50)
    assert summary["rejected"] == {"no user": 1}
    assert loader.runs[-1]["distinct_users_by_event_type"] == {OPEN: 50}
