"""The tap and the target in a pipe, without Meltano, which makes tests of settings quick."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forked import Forked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.client import Sandbox


class Pipe:
    """Tap and target with settings of a test; the state goes from one run to the next."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._folder = folder
        self._state = folder / "state.json"
        self.forget()
        self.tap: dict[str, Any] = {
            "api_url": sandbox.hubspot_url,
            "access_token": "sandbox-access-token",
            "enrich_campaigns": False,
        }
        self.target: dict[str, Any] = {
            "api_url": sandbox.amplitude_url,
            "api_key": "sandbox-api-key",
            "rejected_path": str(folder / "rejected.jsonl"),
            "job_log_path": str(folder / "jobs.jsonl"),
        }

    def forget(self) -> None:
        """Let the next run begin at `start_date` again."""
        self._state.write_text("{}", encoding="utf-8")

    def run(self, tap: Mapping[str, Any] | None = None, **target: Any) -> dict[str, int]:
        """Run once, with these settings changed; return the target's counts over all streams."""
        messages = b"\n".join(self.read(tap or {}))
        states = self._run("target-amplitude", self.target | target, messages)
        self._state.write_bytes(states.splitlines()[-1])
        jobs = (self._folder / "jobs.jsonl").read_text(encoding="utf-8").splitlines()
        streams = json.loads(jobs[-1])["streams"]
        return {
            name: sum(stream[name] for stream in streams)
            for name in ("read", "delivered", "skipped", "matched", "fell_back")
        }

    def read(self, tap: Mapping[str, Any]) -> list[bytes]:
        """Run the tap alone, with these settings changed; return the lines it wrote."""
        command = "tap-hubspot-email-events"
        messages = self._run(command, self.tap | dict(tap), b"", f"--state={self._state}")
        return messages.splitlines()

    def _run(
        self, command: str, config: Mapping[str, Any], messages: bytes, *options: str
    ) -> bytes:
        path = self._folder / f"{command}.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        arguments = (f"--config={path}", *options)
        with Forked(command, *arguments, stdin=messages) as process:
            output, errors = process.communicate(120)
        assert process.returncode == 0, errors.decode()
        return output
