"""Running the tap on the sandbox, in a process of its own, and reading what it said."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forked import Forked
from tap_hubspot_email_events.common.event_types import SELECTED_BY_DEFAULT
from tap_hubspot_email_events.timestamps import format_timestamp

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

PATIENCE = 60
COMMAND = "tap-hubspot-email-events"


@dataclass
class Run:
    """What a run of the tap has said."""

    code: int
    errors: str
    messages: list[dict[str, Any]]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [message["record"] for message in self.messages if message["type"] == "RECORD"]

    @property
    def state(self) -> dict[str, Any]:
        states = [message["value"] for message in self.messages if message["type"] == "STATE"]
        state: dict[str, Any] = states[-1] if states else {}
        return state

    @property
    def complaints(self) -> list[str]:
        """The lines of the log that are neither information nor metrics."""
        return [line for line in self.errors.splitlines() if " INFO " not in line]


class Runner:
    """Runs the tap on the sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder

    def command(
        self,
        *,
        state: Any = None,
        catalog: Any = None,
        clock_ahead: float | None = None,
        **settings: Any,
    ) -> list[str]:
        """The command and its arguments; `clock_ahead` sets the clock the tap sees, in seconds."""
        config = {
            "access_token": "sandbox-access-token",
            "api_url": self._sandbox.hubspot_url,
            "requests_per_10_seconds": 10_000,
            "page_size": 50,
            "enrich_campaigns": False,
            **settings,
        }
        command = [COMMAND]
        if clock_ahead is not None:
            command = ["at_time", str(clock_ahead), "tap"]
        for name, content in (("config", config), ("state", state), ("catalog", catalog)):
            if content is not None:
                path = self._folder / f"{name}.json"
                path.write_text(json.dumps(content))
                command += [f"--{name}", str(path)]
        return command

    def start(self, **options: Any) -> Forked:
        """Start the tap, with the options of `command`."""
        level = "DEBUG" if options.get("debug") else "INFO"
        return Forked(*self.command(**options), environment=os.environ | {"LOGLEVEL": level})

    def __call__(self, **options: Any) -> Run:
        with self.start(**options) as process:
            output, errors = process.communicate(timeout=PATIENCE)
        return Run(process.returncode, errors.decode(), parsed(output))

    def catalog(self) -> dict[str, Any]:
        """The catalog with the ten streams selected."""
        with Forked(COMMAND, "--discover") as process:
            found, _ = process.communicate(timeout=PATIENCE)
        catalog: dict[str, Any] = json.loads(found)
        return catalog


def parsed(output: bytes) -> list[dict[str, Any]]:
    """The messages, without a last line that a kill has cut off."""
    return [json.loads(line) for line in output.split(b"\n")[:-1] if line]


def select(catalog: dict[str, Any], *streams: str, without: str | None = None) -> dict[str, Any]:
    for entry in catalog["streams"]:
        for each in entry["metadata"]:
            if not each["breadcrumb"]:
                each["metadata"]["selected"] = entry["tap_stream_id"] in streams
            elif each["breadcrumb"][-1] == without:
                each["metadata"]["selected"] = False
    return catalog


def key(record: dict[str, Any]) -> tuple[str, str]:
    return record["created"], record["id"]


def expected(sandbox: Sandbox) -> Counter[tuple[str, str]]:
    """The keys of the events the ten streams hold."""
    return Counter(
        (format_timestamp(event["created"]), event["id"])
        for event in sandbox.hubspot_events()
        if event.get("type") in SELECTED_BY_DEFAULT and event.get("portalId", 4711) == 4711
    )


def event(kind: str, created: int, name: str = "") -> dict[str, Any]:
    return {
        "id": name or f"{kind}-{created}",
        "created": created,
        "type": kind,
        "portalId": 4711,
        "recipient": "jane.doe@example.com",
        "emailCampaignId": 1,
    }


def now() -> int:
    return time.time_ns() // 1_000_000
