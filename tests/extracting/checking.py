"""Running the tap's check on the sandbox, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from tap_hubspot_email_events.check.command import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from sandbox.client import Sandbox

# Settings that take an access token's place.
OAUTH: dict[str, Any] = {
    "access_token": None,
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}


class Checking:
    """Runs the command on the sandbox."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder

    def run(self, *options: str, **settings: Any) -> Result:
        """Run it with settings in a file; None takes one of them out."""
        given = {
            "access_token": "sandbox-access-token",
            "api_url": self._sandbox.hubspot_url,
            "requests_per_10_seconds": 10_000,
            **settings,
        }
        path = self._folder / "settings.json"
        path.write_text(json.dumps({k: v for k, v in given.items() if v is not None}))
        return CliRunner().invoke(main, ["--config", str(path), *options])

    def report(self, *options: str, **settings: Any) -> dict[str, Any]:
        """Run it and return what `--json` prints, with each finding by its name."""
        result = self.run("--json", *options, **settings)
        report: dict[str, Any] = json.loads(result.stdout)
        assert result.exit_code == (1 if _bad(report) else 0)
        for part in ("checks", "assumptions"):
            report[part] = {each["name"]: each for each in report[part]}
        return report


def _bad(report: dict[str, Any]) -> bool:
    findings = [*report["checks"], *report["assumptions"]]
    return any(each["result"] in {"failed", "differs"} for each in findings)
