"""A Meltano project for tests of the whole pipeline."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.client import Sandbox

ROOT = Path(__file__).parents[2]
MELTANO = ROOT / ".venv-meltano/bin/meltano"
SECOND_ACCOUNT = """
plugins:
  extractors:
  - name: tap-hubspot-email-events--second
    inherit_from: tap-hubspot-email-events
    config:
      access_token: $SECOND_ACCESS_TOKEN
"""


class Project:
    """A Meltano project in a folder of its own, with this checkout's plugins."""

    def __init__(self, folder: Path, sandbox: Sandbox, database: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "meltano.yml", folder)
        shutil.copy(ROOT / "logging.yaml", folder)
        shutil.copy(database, folder / "meltano.db")
        # Meltano refuses to include files that are links to other places.
        shutil.copytree(ROOT / "transforms", folder / "transforms")
        for name in ("tap-hubspot-email-events", "target-amplitude"):
            (folder / name).symlink_to(ROOT / name)
        (folder / ".meltano").mkdir()
        for plugins in (ROOT / ".meltano").iterdir():
            if plugins.name in {"extractors", "loaders", "mappers"}:
                (folder / ".meltano" / plugins.name).symlink_to(plugins)
        self.environment = os.environ | {
            "MELTANO_DATABASE_URI": f"sqlite:///{folder}/meltano.db",
            "TAP_HUBSPOT_EMAIL_EVENTS_API_URL": sandbox.hubspot_url,
            "TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN": "sandbox-access-token",
            "TARGET_AMPLITUDE_API_URL": sandbox.amplitude_url,
            "TARGET_AMPLITUDE_API_KEY": "sandbox-api-key",
        }

    def include(self, definition: str, **scripts: str) -> None:
        """Add plugins to the project; `{folder}` is where the scripts that they start are."""
        path = self.folder / "transforms/added.meltano.yml"
        path.write_text(definition.format(folder=self.folder), encoding="utf-8")
        for name, script in scripts.items():
            executable = self.folder / name
            executable.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            executable.chmod(0o755)

    def meltano(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `meltano` with the given arguments and return its exit code and output."""
        return subprocess.run(
            [str(MELTANO), *arguments],
            cwd=self.folder,
            env=self.environment | dict(environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )


def empty_database(folder: Path) -> Path:
    """Return a state database that Meltano has prepared and nobody has used: preparing is slow."""
    path = folder / "meltano.db"
    (folder / "meltano.yml").write_text("requires_meltano: '>=4.0'\n", encoding="utf-8")
    subprocess.run(
        [str(MELTANO), "state", "list"],
        cwd=folder,
        env=os.environ | {"MELTANO_DATABASE_URI": f"sqlite:///{path}"},
        capture_output=True,
        check=True,
    )
    return path
