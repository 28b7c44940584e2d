"""Hourly runs of the tap, by clocks that go ahead with them."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extracting.extractor import key
from sandbox.scenarios.steady import Steady, moments
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from extracting.extractor import Run, Runner
    from sandbox.client import Sandbox

HOUR = 3600
STATE_BYTES = 64 * 1024


@dataclass
class Simulation:
    """Hourly runs of the tap by HubSpot's clock, which goes ahead with them."""

    sandbox: Sandbox
    tap: Runner
    steady: Steady
    settings: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    requests: int = 0

    def __post_init__(self) -> None:
        self.sandbox.set_hubspot_clock(self.steady.begin)
        self.sandbox.add_steady(self.steady)
        self.settings = {
            "start_date": format_timestamp(int((self.steady.begin - HOUR) * 1000)),
            "page_size": 1000,
            **self.settings,
        }

    def run(self, hour: float, *, code: int = 0, shift: float = 0) -> Run:
        """Run once, so many hours after the begin.

        `shift` is how far this machine's clock is ahead of HubSpot's, in seconds.
        """
        at = self.steady.begin + hour * HOUR
        self.sandbox.set_hubspot_clock(at)
        ahead = at + shift - time.time()
        run = self.tap(state=self.state, clock_ahead=ahead, **self.settings)
        assert run.code == code, run.errors
        self.sent.update(map(key, run.records))
        self.state = run.state
        assert len(json.dumps(self.state)) < STATE_BYTES
        return run

    def hours(self) -> None:
        """Run once an hour, and until everything is visible."""
        for hour in range(1, int(self.steady.hours) + 3):
            self.run(hour)

    @property
    def lost(self) -> set[tuple[str, str]]:
        """The events that were never sent."""
        return {(format_timestamp(each.created), each.id) for each in moments(self.steady)} - set(
            self.sent
        )

    @property
    def times(self) -> float:
        """How often an event was sent on average."""
        return self.sent.total() / len(self.sent)


def begin(hours: float) -> float:
    return time.time() - (hours + 10) * HOUR
