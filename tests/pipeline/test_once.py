"""Each event is delivered once by hourly runs; a kill costs no more than what its run had sent."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING, Any

from sandbox.scenarios.steady import Steady, moments
from simulation.pipeline import Running, received, received_at_rest

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

HOUR = 3600


class Hourly:
    """Tap and target in a pipe, once an hour by HubSpot's clock."""

    def __init__(self, sandbox: Sandbox, steady: Steady, folder: Path) -> None:
        sandbox.set_limits(requests_per_10_seconds=0)
        sandbox.set_hubspot_clock(steady.begin)
        sandbox.add_steady(steady)
        self.sandbox, self.steady, self.folder = sandbox, steady, folder
        self.state: dict[str, Any] = {}
        self.config = {
            "tap": {
                "api_url": sandbox.hubspot_url,
                "access_token": "sandbox-access-token",
                "requests_per_10_seconds": 10_000,
                "page_size": 100,
            },
            "target": {
                "api_url": sandbox.amplitude_url,
                "api_key": "sandbox-api-key",
                "rejected_path": str(folder / "rejected.jsonl"),
                "batch_size_rows": 100,
            },
        }

    def run(self, hour: float, *kill: str, after: int = 0) -> bool:
        """Run once; returns whether it ended well.

        Tap, target or both are killed once Amplitude received `after` events.
        """
        at = self.steady.begin + hour * HOUR
        enough = received(self.sandbox) + after
        self.sandbox.set_hubspot_clock(at)
        running = Running(self.folder / "run", at - time.time(), self.config, self.state)
        if kill:
            running.interfere(
                lambda: received(self.sandbox) >= enough,
                lambda: running.signal(signal.SIGKILL, *kill),
            )
        ended = running.wait()
        self.state = ended.states[-1] if ended.states else self.state
        return ended.is_good


def test_kills_of_tap_and_target_lose_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    order = random.Random(23)
    steady = Steady(23, time.time() - 20 * HOUR, 4, 1500)
    hourly = Hourly(sandbox, steady, tmp_path)
    sandbox.set_latency(hubspot=0.1, amplitude=0.1)
    killed, kills = 0, 0
    for hour in range(1, 6):
        before = received_at_rest(sandbox)
        kill = order.choice([("tap",), ("target",), ("tap", "target")])
        if not hourly.run(hour, *kill, after=order.randrange(1, 1400)):
            killed += received_at_rest(sandbox) - before
            kills += 1
        assert hourly.run(hour + 0.2)
    assert kills > 2
    assert killed > 1000, "the kills came before anything was sent"
    delivered = {event["event_properties"]["id"] for event in sandbox.amplitude_events()}
    assert delivered == {each.id for each in moments(steady)}
    assert sandbox.amplitude_stats()["duplicates"] <= killed
