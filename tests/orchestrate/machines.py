"""Machines that share a broker, a database and a bucket, each with a worker of Celery's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import yaml
from typing_extensions import Self

from interoperability import postgres, rabbitmq
from interoperability.environment import OTHERS
from interoperability.s3 import running_s3
from orchestrate.dagster_project import DAGSTER, PATIENCE, DagsterProject, page_commands
from orchestrate.processes import parent, processes
from pipeline.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interoperability.environment import Server
    from interoperability.postgres import Postgres
    from sandbox.client import Sandbox

EXAMPLES = ROOT / "orchestrate/dagster/examples"
LACKING = [
    *([] if (DAGSTER.parent / "celery").exists() else ["Celery: make setup-celery"]),
    *([] if OTHERS.exists() else ["S3: make .venv-interoperability/ready"]),
    *filter(None, [postgres.missing(), rabbitmq.missing()]),
]
LOADED = """
SELECT asset_key, partition FROM event_logs
WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND partition IS NOT NULL
"""
AT_WORK = """
SELECT step_key FROM (
  SELECT DISTINCT ON (run_id, step_key) step_key, dagster_event_type AS last FROM event_logs
  WHERE dagster_event_type IN ('STEP_START', 'STEP_SUCCESS', 'STEP_FAILURE', 'STEP_UP_FOR_RETRY')
  ORDER BY run_id, step_key, id DESC
) AS steps WHERE last = 'STEP_START'
"""
STARTS = """
SELECT pipeline_name, step_key, extract(epoch FROM timestamp)
FROM event_logs JOIN runs USING (run_id)
WHERE dagster_event_type IN ('PIPELINE_START', 'STEP_START')
"""


@dataclass
class Shared:
    """What the machines share, and nothing else."""

    broker: Server
    postgres: Postgres
    database: Server
    refuses: Path
    variables: dict[str, str]

    def loaded(self) -> set[tuple[str, str]]:
        """The accounts and months that have arrived at Dagster's page."""
        found = set()
        for asset, day in self._rows(LOADED):
            found.add((json.loads(asset)[-1], day[:7]))
        return found

    def at_work(self) -> int:
        """How many steps have begun and not ended."""
        return len(self._rows(AT_WORK))

    def starts(self) -> list[tuple[str, str, float]]:
        """When each run and each of its steps began, with their names, none for a run's."""
        return [(job, step, float(at)) for job, step, at in self._rows(STARTS)]

    def refuse(self) -> None:
        """Let the bucket refuse whatever it is asked, for ten seconds."""
        self.refuses.touch()
        time.sleep(10)
        self.refuses.unlink()

    def _rows(self, statement: str) -> list[list[str]]:
        # Whoever comes first makes Dagster's tables.
        if self.postgres.query("SELECT to_regclass('event_logs')") == [[""]]:
            return []
        return self.postgres.query(statement)


@contextmanager
def shared_servers(folder: Path) -> Iterator[Shared]:
    with ExitStack() as closing:
        url, broker = closing.enter_context(rabbitmq.running_rabbitmq(EXAMPLES / "rabbitmq.conf"))
        server, database = closing.enter_context(postgres.running_postgres())
        bucket = closing.enter_context(running_s3(folder / "refuses"))
        variables = {
            "CELERY_BROKER_URL": url,
            "CELERY_RESULT_BACKEND": f"db+{server.url()}",
            "DAGSTER_POSTGRES_URL": server.url(),
            **bucket,
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": "8",
        }
        yield Shared(broker, server, database, folder / "refuses", variables)


class Machine(DagsterProject):
    """A project with folders and a home of its own, set up as docs/scheduling.md has it."""

    def __init__(  # noqa: PLR0913 - of one machine
        self,
        folder: Path,
        sandbox: Sandbox,
        database: Path,
        shared: Shared,
        *,
        first_month: str,
        limit: int,
        concurrency: int,
    ) -> None:
        folder.mkdir()
        super().__init__(folder, sandbox, database, first_month=first_month, limit=limit)
        orchestration = self.home.parent / "orchestration.yml"
        accounts = yaml.safe_load(orchestration.read_text("utf-8"))["accounts"]
        for command in page_commands("setup-celery"):
            subprocess.run(command, cwd=folder, check=True)
        example = yaml.safe_load(orchestration.read_text("utf-8"))
        mine = {"first_month": first_month, "accounts": accounts}
        orchestration.write_text(json.dumps(example | mine), "utf-8")
        (folder / "tmp").mkdir()
        present = f"{datetime.now(timezone.utc):%Y-%m}-01T00:00:00Z"
        # The hourly run begins where backfills end.
        starts = {
            f"TAP_HUBSPOT_EMAIL_EVENTS{account}_START_DATE": present for account in ("", "__SECOND")
        }
        variables = shared.variables | starts
        (folder / ".env").write_text(
            "".join(f"{name}={value}\n" for name, value in variables.items()), "utf-8"
        )
        self.environment |= {"HOME": str(folder), "TMPDIR": str(folder / "tmp")}
        # For what a test itself asks Dagster.
        self.environment["DAGSTER_POSTGRES_URL"] = variables["DAGSTER_POSTGRES_URL"]
        self._concurrency = concurrency
        self._workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.work()
        return self

    def __exit__(self, *_: object) -> None:
        for pid, _words, _variables in processes(self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for worker in self._workers:
            worker.wait()

    def work(self) -> None:
        """Start a worker, which takes parts as soon as it is up."""
        log = f"worker-{len(self._workers)}.txt"
        options = ("--", "--concurrency", str(self._concurrency))
        self._workers.append(self.start("invoke", "dagster:worker", *options, log=log))

    def is_ready(self) -> bool:
        """Whether its worker is up."""
        log = self.folder / f"worker-{len(self._workers) - 1}.txt"
        return " ready." in log.read_text("utf-8")

    def kill_worker(self) -> None:
        """Kill the process that runs the others, and no other."""
        pids = {pid for pid, words, _ in processes(self.folder) if b"/celery " in words}
        (main,) = (pid for pid in pids if parent(pid) not in pids)
        os.kill(main, signal.SIGKILL)
        self._workers[-1].wait(PATIENCE)
