"""What a HubSpot that means harm can do to the tap, its check and its way into the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.runner import run_tap
from hostile.server import CLOSE, HUBSPOT, RESET, Script, Server, answer

if TYPE_CHECKING:
    from pathlib import Path

import pytest

EVENTS = "/email/public/v1/events"


def test_an_account_without_events_is_read(tmp_path: Path) -> None:
    with Server(HUBSPOT) as server:
        outcome = run_tap(server, tmp_path)
    outcome.assert_bounded()
    assert outcome.code == 0
    assert outcome.complaints == []


@pytest.mark.parametrize(
    "script",
    [(CLOSE,), (RESET,), answer(b"{}", 503)],
)
def test_one_sentence(tmp_path: Path, script: Script) -> None:
    with Server(HUBSPOT | {EVENTS: script}) as server:
        outcome = run_tap(server, tmp_path)
    assert "HubSpot" in outcome.sentence()
