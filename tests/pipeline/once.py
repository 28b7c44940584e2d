"""The promise of the whole pipeline, as one assertion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.reconcile import reconcile

if TYPE_CHECKING:
    from sandbox.client import Sandbox


def assert_each_once(
    sandbox: Sandbox, more_than: int = 0, events: list[dict[str, Any]] | None = None
) -> int:
    """Amplitude holds each of HubSpot's events, or of some of them, once; returns how many."""
    wanted = sandbox.hubspot_events() if events is None else events
    balances = reconcile(wanted, sandbox.amplitude_events())
    assert [(each.missing, each.doubled) for each in balances] == [(0, 0)] * 10
    count = sum(each.in_amplitude for each in balances)
    assert count > more_than
    return count
