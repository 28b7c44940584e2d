"""The built packages, installed where a stranger would have them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MELTANO_BIN = ROOT / ".venv-meltano/bin"
UV = str(MELTANO_BIN / "uv")
PLUGINS = ("tap-hubspot-email-events", "target-amplitude")


@dataclass(frozen=True)
class Environment:
    """An environment with both plugins, and a folder to work in."""

    folder: Path
    bin: Path

    def run(
        self, name: str, *arguments: str, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's commands in the folder and return what it printed.

        Raises:
            AssertionError: It failed.
        """
        # PYTHONPATH may name the checkout's folders.
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [str(self.bin / name), *arguments],
            cwd=self.folder,
            env=variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done
