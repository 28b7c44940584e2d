"""The tap and the target without Meltano, which makes tests of settings quick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extracting.extractor import Runner
from loading.loader import Loader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sandbox.client import Sandbox


class Pipe:
    """Tap and target with settings of a test; the state goes from one run to the next."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._read = Runner(sandbox, folder)
        self._loader = Loader(sandbox.amplitude_url, folder)
        self.tap: dict[str, Any] = {}
        self.target: dict[str, Any] = {}
        self.forget()

    def forget(self) -> None:
        """Let the next run begin at `start_date` again."""
        self._state: dict[str, Any] = {}

    def run(self, tap: Mapping[str, Any] | None = None, **target: Any) -> dict[str, int]:
        """Run once, with these settings changed; return the target's counts over all streams."""
        read = self._read(state=self._state, **self.tap | dict(tap or {}))
        assert read.code == 0, read.errors
        self._state = self._loader.load(read.messages, **self.target | target)[-1]
        return {
            name: sum(stream[name] for stream in self._loader.streams.values())
            for name in ("read", "delivered", "skipped", "matched", "fell_back")
        }
