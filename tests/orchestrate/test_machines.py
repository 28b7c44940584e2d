"""Two machines that share a broker, a database and a bucket, each of which fails for a while."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from typing_extensions import Self, override

from interoperability import postgres, rabbitmq
from interoperability.environment import OTHERS
from interoperability.s3 import running_s3
from orchestrate.dagster_project import DAGSTER, DagsterProject
from orchestrate.test_backfill import HISTORY, milliseconds, past_months
from pipeline.once import assert_each_once
from pipeline.project import ROOT
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interoperability.environment import Server
    from interoperability.postgres import Postgres

MONTHS = past_months(int(os.environ.get("MONTHS", "12")))
EVENTS = int(os.environ.get("EVENTS", "6000"))
"""Of each of the two accounts."""

LIMIT = 40
PLACES = 2
"""As the example of dagster.yaml has it."""

LAST = 3
"""Months of each account that are left when a backfill is killed: more than there are places."""

PATIENCE = 900
SUFFIX = b"MELTANO_RUN_STATE_ID_SUFFIX"
QUIET_SECONDS = 20
JOBS = Path(sys.executable).parent / "target-amplitude-jobs"
EXAMPLES = ROOT / "orchestrate/dagster/examples"
LACKING = [
    *([] if (DAGSTER / "celery").exists() else ["Celery: make setup-celery"]),
    *([] if OTHERS.exists() else ["S3: make .venv-interoperability/ready"]),
    *filter(None, [postgres.missing(), rabbitmq.missing()]),
]
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}")


@dataclass
class Shared:
    """What the machines share, and nothing else."""

    broker: Server
    postgres: Postgres
    database: Server
    refuses: Path
    variables: dict[str, str]

    def loaded(self) -> int:
        """How many months have arrived at Dagster's page."""
        ((count,),) = self.postgres.query(
            "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'"
            " AND partition IS NOT NULL"
        )
        return int(count)


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

    def __init__(self, folder: Path, sandbox: Sandbox, database: Path, shared: Shared) -> None:
        folder.mkdir()
        super().__init__(folder, sandbox, database, first_month=MONTHS[0], limit=LIMIT)
        shutil.copy(EXAMPLES / "dagster.yaml", self.home)
        orchestration = self.home.parent / "orchestration.yml"
        accounts = yaml.safe_load(orchestration.read_text("utf-8"))
        example = yaml.safe_load((EXAMPLES / "celery.yml").read_text("utf-8"))
        executor = {name: example[name] for name in ("executor", "execution")}
        orchestration.write_text(json.dumps(accounts | executor), "utf-8")
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
        # For what this test itself asks Dagster.
        self.environment["DAGSTER_POSTGRES_URL"] = variables["DAGSTER_POSTGRES_URL"]
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
        """Start a worker, and wait until it takes parts."""
        log = f"worker-{len(self._workers)}.txt"
        worker = self.start("invoke", "dagster:worker", "--", "--concurrency", "4", log=log)
        self._workers.append(worker)
        wait_for(lambda: " ready." in (self.folder / log).read_text("utf-8"), worker)

    def kill_worker(self) -> None:
        """Kill the process that runs the others, and no other."""
        pids = {pid for pid, words, _ in processes(self.folder) if b"/celery " in words}
        (main,) = (pid for pid in pids if parent(pid) not in pids)
        os.kill(main, signal.SIGKILL)
        self._workers[-1].wait(PATIENCE)


def processes(folder: Path) -> Iterator[tuple[int, bytes, dict[bytes, bytes]]]:
    """The processes that work in a folder, with their command lines and variables."""
    for process in Path("/proc").iterdir():
        # A process may end while it is looked at, and not every name is a process.
        with suppress(OSError, ValueError):
            if (process / "cwd").readlink().is_relative_to(folder):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                pairs = (process / "environ").read_bytes().split(b"\0")
                variables = dict(pair.split(b"=", 1) for pair in pairs if b"=" in pair)
                yield int(process.name), words, variables


def meltano_runs(folder: Path) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The command lines and variables of each `meltano run` of a month, not of its children."""
    found = {
        pid: (words, variables)
        for pid, words, variables in processes(folder)
        if SUFFIX in variables and b" run " in words
    }
    # A child looks like its parent until it has become the tap or the target.
    with suppress(OSError):
        return [each for pid, each in found.items() if parent(pid) not in found]
    return []


def parent(pid: int) -> int:
    # The name, in brackets, may hold anything.
    return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.2)


class Watch(threading.Thread):
    """Sees which months are read, and on which machines, until it is left."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.at_once: Counter[tuple[bytes, bytes]] = Counter()
        self.machines: set[bytes] = set()
        self._folder = folder
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    @override
    def run(self) -> None:
        while not self._ended.wait(0.3):
            seen = meltano_runs(self._folder)
            runs = Counter(
                (variables[SUFFIX], words.partition(b"tap-")[2].split()[0])
                for words, variables in seen
            )
            self.machines |= {variables[b"HOME"] for _, variables in seen}
            self.at_once |= runs


HOURLY = ("invoke", "dagster", "job", "execute", "-m", "email_events_orchestration.definitions")
LOADED = """
answer = {
    account: sorted(
        instance.get_materialized_partitions(AssetKey(["email_events_by_month", account]))
    )
    for account in ("first", "second")
}
"""
ORDER = """
answer = {"hour": [], "steps of the hour": [], "months": []}
for run in instance.get_runs():
    hourly = run.job_name == "hubspot_to_amplitude"
    steps = answer["steps of the hour" if hourly else "months"]
    for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_START):
        steps.append(entry.timestamp)
    if hourly:
        (start,) = instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_START)
        answer["hour"].append(start.timestamp)
"""
OUTCOME = re.compile(
    r"^(first|second) +(\d{4}-\d{2}) .*(already loaded|loaded$|failed|stopped)", re.MULTILINE
)


def test_months_arrive_once_over_two_machines_whatever_fails(
    tmp_path: Path, database: Path
) -> None:
    with (
        shared_servers(tmp_path) as shared,
        Sandbox(seed=5, requests_per_10_seconds=LIMIT, latency_hubspot=0.3) as sandbox,
        ExitStack() as closing,
    ):
        days = 31 * len(MONTHS) + 15
        sandbox.generate(events=EVENTS, days=days)
        sandbox.generate(events=EVENTS, days=days, portal_id=4712)
        machines = [
            Machine(tmp_path / name, sandbox, database, shared) for name in ("one", "other")
        ]
        for machine in machines:
            closing.enter_context(machine)
        watch = closing.enter_context(Watch(tmp_path))
        one, other = machines

        fail_one_by_one(one, other, shared)
        missing = kill_the_command(one)
        outcomes = load(one, MONTHS)

        loaded = {part for part, outcome in outcomes.items() if outcome == "loaded"}
        assert loaded == missing
        assert set(outcomes.values()) == {"loaded", "already loaded"}
        assert max(watch.at_once.values()) == 1
        assert len(watch.machines) == len(machines)
        first = milliseconds(MONTHS[0])
        wanted = [event for event in sandbox.hubspot_events() if first <= event["created"]]
        delivered = assert_each_once(sandbox, more_than=1_000, events=wanted)
        # The sandbox holds each account to its limit: 429 is what more would have got.
        assert "429" not in sandbox.hubspot_stats()["by_status"]
        assert_history_tells(machines, delivered)
        assert_one_history(machines)
        assert all(list(machine.home.glob("*/compute_logs/*.err")) for machine in machines)


def fail_one_by_one(one: Machine, other: Machine, shared: Shared) -> None:
    """Load all months but the last, beside an hourly run, while each part fails once."""
    months = MONTHS[:-LAST]
    parts = 2 * len(months)
    backfill = one.start("invoke", "dagster:backfill", "--from", months[0], "--to", months[-1])

    def loaded(eighths: int) -> None:
        wait_for(lambda: shared.loaded() >= parts * eighths // 8, backfill)

    loaded(1)
    hourly = other.start(*HOURLY, "-j", "hubspot_to_amplitude", log="hourly.txt")
    loaded(2)
    other.kill_worker()
    other.work()
    loaded(3)
    shared.broker.restart()
    loaded(5)
    shared.database.restart()
    loaded(6)
    shared.refuses.touch()
    time.sleep(10)
    shared.refuses.unlink()
    assert backfill.wait(PATIENCE) == 0, one.output.read_text("utf-8")[-5000:]
    assert hourly.wait(PATIENCE) == 0, (other.folder / "hourly.txt").read_text("utf-8")[-5000:]
    order = one.dagster(ORDER)
    # Whatever many months wait, the next places are the hour's.
    (came,) = order["hour"]
    before = [at for at in order["months"] if came < at < max(order["steps of the hour"])]
    assert len(before) <= 2 * PLACES


def kill_the_command(one: Machine) -> set[tuple[str, str]]:
    """Kill a backfill of what is left in its midst; returns the parts that are not loaded."""
    backfill = one.start("invoke", "dagster:backfill", "--from", MONTHS[0], "--to", MONTHS[-1])
    wait_for(lambda: any(meltano_runs(one.folder.parent)), backfill)
    (command,) = (pid for pid, words, _ in processes(one.folder) if b"email-events-back" in words)
    os.kill(command, signal.SIGKILL)
    backfill.wait(PATIENCE)
    # The workers finish what they are at.
    idle = 0
    while idle < QUIET_SECONDS:
        idle = 0 if any(meltano_runs(one.folder.parent)) else idle + 1
        time.sleep(1)
    done = one.dagster(LOADED)
    return {
        (account, month)
        for account in ("first", "second")
        for month in MONTHS
        if f"{month}-01" not in done[account]
    }


def load(machine: Machine, months: list[str]) -> dict[tuple[str, str], str]:
    """The outcome of each account and month in the table of a backfill that ends well."""
    command = machine.start("invoke", "dagster:backfill", "--from", months[0], "--to", months[-1])
    code = command.wait(PATIENCE)
    output = machine.output.read_text("utf-8")
    assert code == 0, output[-5000:]
    return {(account, month): outcome for account, month, outcome in OUTCOME.findall(output)}


def assert_history_tells(machines: list[Machine], delivered: int) -> None:
    """Dagster has the figures of each month, and how many attempts it took."""
    history = machines[0].dagster(HISTORY)
    parts = [part for account in history.values() for part in account.values()]
    assert [len(account) for account in history.values()] == [len(MONTHS)] * 2
    assert any(part["attempts"] > 1 for part in parts)
    assert 0 < sum(part["events_delivered"] for part in parts) <= delivered
    assert {part["hubspot_requests_per_10_seconds"] for part in parts} == {LIMIT // PLACES}


def assert_one_history(machines: list[Machine]) -> None:
    """`jobs` reads the logs of both machines as one."""
    logs = [str(machine.folder / "output/jobs.jsonl") for machine in machines]
    counts = [len(Path(log).read_text("utf-8").splitlines()) for log in logs]
    command = [str(JOBS), *logs, "--json", "--limit", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    runs = json.loads(done.stdout)
    assert min(counts) > 0
    assert len(runs) == sum(counts)
