"""A simulated time: the services, the settings, the state, and what is known to be true."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from pipeline.project import Project, empty_database
from sandbox.scenarios.steady import PEOPLE, Moment, Steady, moments
from simulation.pipeline import Running, through_meltano
from simulation.truth import Truth
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from sandbox.client import Sandbox
    from simulation.pipeline import Ended

HOUR = 3600
PER_HOUR = 90
LATE_SHARE = 0.1


class World:
    """Everything that one seed's runs share; hours are counted from `begin`, in Unix seconds."""

    def __init__(self, sandbox: Sandbox, folder: Path, seed: int, days: float) -> None:
        """Fill the services with what will happen in so many days."""
        self.sandbox = sandbox
        self.folder = folder
        self.seed = seed
        # In the past as a whole, so that Meltano, whose clock stays, is ahead of HubSpot.
        self.begin = time.time() - (days + 4) * 24 * HOUR
        self.hour = 0.0
        self.truth = Truth()
        self.state: dict[str, Any] = {}
        self.states: list[dict[str, Any]] = [{}]
        self.secrets = ["sandbox-access-token", "sandbox-api-key"]
        # Events and lines of the job log that were looked at, and what Amplitude received so far.
        self.seen = self.jobs = self.received_before = 0
        self.quota_until = 0.0
        self._project: Project | None = None
        sandbox.reset()
        sandbox.set_limits(requests_per_10_seconds=0)
        sandbox.set_hubspot_clock(self.begin)
        sandbox.pass_time(self.begin - time.time())
        steady = Steady(seed, self.begin, days * 24, PER_HOUR, LATE_SHARE)
        sandbox.add_steady(steady)
        self.truth.add(moments(steady))
        self.config: dict[str, dict[str, Any]] = {
            "tap": {
                "api_url": sandbox.hubspot_url,
                "access_token": "sandbox-access-token",
                "requests_per_10_seconds": 10_000,
                "start_date": format_timestamp(int((self.begin - HOUR) * 1000)),
                "enrich_campaigns": False,
                "max_retries": 8,
            },
            "target": {
                "api_url": sandbox.amplitude_url,
                "api_key": "sandbox-api-key",
                "rejected_path": str(folder / "rejected.jsonl"),
                "job_log_path": str(folder / "jobs.jsonl"),
                "batch_size_rows": 50,
                "max_rejected_percent": 100,
            },
        }

    @property
    def now(self) -> float:
        """HubSpot's time, in seconds since 1970."""
        return self.begin + self.hour * HOUR

    def go_to(self, hour: float) -> None:
        """Let both services' clocks come to an hour."""
        self.sandbox.pass_time((hour - self.hour) * HOUR)
        self.hour = hour
        self.sandbox.set_hubspot_clock(self.now)

    def start(self, ahead: float, name: str = "run") -> Running:
        """Start tap and target, their clock so many seconds ahead of HubSpot's."""
        folder = self.folder / name
        if folder.exists():
            shutil.rmtree(folder)
        return Running(folder, self.now + ahead - time.time(), self.config, self.state)

    def through_meltano(self) -> Ended:
        """Run by Meltano, with this machine's own clock."""
        if self._project is None:
            folder = self.folder / "meltano/project"
            folder.mkdir(parents=True)
            self._project = Project(folder, self.sandbox, empty_database(folder.parent))
        return through_meltano(self._project, self.config, self.state)

    def add_events(self, count: int, order: random.Random, recipient: str | None = None) -> None:
        """Add events of the last two hours that nobody has seen yet."""
        at = int(self.now * 1000)
        begin = int(self.begin * 1000)
        added = []
        for number in range(count):
            created = max(begin, at - order.randrange(60_000, 6_600_000))
            kind = order.choice(("OPEN", "CLICK", "BOUNCE"))
            name = f"more-{self.seed}-{at}-{number}-{recipient}"
            added.append(Moment(created, name, kind, self.now))
        self.sandbox.add_events(
            [
                {
                    "id": each.id,
                    "created": each.created,
                    "type": each.type,
                    "recipient": recipient or f"reader{each.created % PEOPLE}@example.com",
                }
                for each in added
            ]
        )
        self.truth.add(added)
