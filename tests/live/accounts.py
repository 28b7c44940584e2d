"""The accounts to try: those of the environment with `LIVE=1`, else the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

IS_LIVE = os.environ.get("LIVE") == "1"
# Somebody has to say that this project may get events that mean nothing.
MAY_SEND = not IS_LIVE or os.environ.get("LIVE_AMPLITUDE_TEST_PROJECT") == "1"
# Long enough on a live account for something to change; the sandbox does not change by itself.
WAIT = os.environ.get("LIVE_WAIT", "5m") if IS_LIVE else "1s"
PATIENCE = 3600
TAP, TARGET = "TAP_HUBSPOT_EMAIL_EVENTS", "TARGET_AMPLITUDE"


@dataclass
class Accounts:
    """A HubSpot account and an Amplitude project, as the plugins' environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, command: str, *arguments: str, given: str = "", **settings: str) -> str:
        """Run one of the plugins' commands, with settings by their variables; return its output."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / command), *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment, **settings},
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.stdout or not done.returncode, done.stderr
        return done.stdout
