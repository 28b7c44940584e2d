"""A Meltano project with Dagster and two HubSpot accounts, in a folder of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from pipeline.project import MELTANO, ROOT, SECOND_ACCOUNT, Project

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Sandbox

DAGSTER = ROOT / ".meltano/utilities/dagster/venv/bin"
ORCHESTRATION = """
first_month: {first_month}
accounts:
- name: first
  run: [tap-hubspot-email-events, target-amplitude]
  requests_per_10_seconds: {limit}
- name: second
  run: [tap-hubspot-email-events--second, target-amplitude]
  requests_per_10_seconds: {limit}
executor:
  name: dagster:multiprocess_executor
  config: {{max_concurrent: 4, start_method: {{forkserver: {{}}}}}}
"""


class DagsterProject(Project):
    """The checkout's project, with Dagster's history in the same folder."""

    def __init__(
        self, folder: Path, sandbox: Sandbox, database: Path, *, first_month: str, limit: int
    ) -> None:
        super().__init__(folder, sandbox, database)
        shutil.copytree(
            ROOT / "orchestrate",
            folder / "orchestrate",
            ignore=lambda _, names: [name for name in names if name in {"history", "storage"}],
        )
        (folder / "orchestrate/second.meltano.yml").write_text(SECOND_ACCOUNT, encoding="utf-8")
        (folder / "orchestrate/dagster/orchestration.yml").write_text(
            ORCHESTRATION.format(first_month=first_month, limit=limit), encoding="utf-8"
        )
        (folder / ".meltano/utilities").symlink_to(ROOT / ".meltano/utilities")
        self.output = folder / "output.txt"
        self.home = folder / "orchestrate/dagster/home"
        self.environment |= {"SECOND_ACCESS_TOKEN": "sandbox-access-token-2"}

    def start(self, *arguments: str, log: str = "output.txt") -> subprocess.Popen[bytes]:
        """Start `meltano` with the given arguments; its output goes to a file of that name."""
        # A pipe that nobody reads meanwhile would fill up and hold everything.
        with (self.folder / log).open("wb") as output:
            return subprocess.Popen(
                [str(MELTANO), *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def dagster(self, code: str) -> Any:
        """Run Python in Dagster's environment, with `instance` at hand; returns its `answer`."""
        prelude = (
            "import json\nfrom dagster import *\n"
            "with DagsterInstance.get() as instance:\n    {}\n    print(json.dumps(answer))"
        )
        run = subprocess.run(
            [DAGSTER / "python", "-c", prelude.format(code.strip().replace("\n", "\n    "))],
            cwd=self.folder,
            env=self.environment
            | {
                "DAGSTER_HOME": str(self.home),
                "EMAIL_EVENTS_ORCHESTRATION": str(self.home.parent / "orchestration.yml"),
            },
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            check=True,
        )
        return json.loads(run.stdout)
