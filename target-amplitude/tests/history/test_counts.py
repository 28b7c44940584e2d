from __future__ import annotations

from typing import TYPE_CHECKING

from loading.messages import run_of

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_the_summary_of_a_stream(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault("amplitude", action="answer", status=500, times=1)
    loader.load(run_of(120))
    summary = loader.streams["email_open"]
    assert summary["read"] == summary["delivered"] == summary["retried"] == 120
    assert summary["requests"] == 2
    assert summary["distinct_users"] == 50
    assert summary["bytes"] > 120 * 200
    assert loader.runs[0]["outcome"] == "delivered"
