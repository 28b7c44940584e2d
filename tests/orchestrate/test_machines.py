"""Two machines that share a broker, a database and a bucket, each of which fails for a while."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typing_extensions import Self, override

from interoperability.rabbitmq import running_rabbitmq
from orchestrate.dagster_project import (
    DAGSTER,
    PATIENCE,
    assert_history_tells,
    milliseconds,
    past_months,
    wait_for,
)
from orchestrate.machines import EXAMPLES, LACKING, Machine, shared_servers
from orchestrate.processes import SUFFIX, meltano_runs, processes
from pipeline.once import assert_each_once
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrate.machines import Shared

    Part = tuple[str, str]

MONTHS = past_months(int(os.environ.get("MONTHS", "5")))
EVENTS = int(os.environ.get("EVENTS", "6000"))
"""Of each of the two accounts."""

ACCOUNTS = ("first", "second")
PARTS = {(account, month) for account in ACCOUNTS for month in MONTHS}
LIMIT = 40
PLACES = 2
"""As the example of dagster.yaml has it."""

IDLE_SECONDS = 3
JOBS = Path(sys.executable).parent / "target-amplitude-jobs"
HOURLY = ("invoke", "dagster", "job", "execute", "-m", "email_events_orchestration.definitions")
HANDS_A_PART_OVER = """
import sys, yaml
from dagster._core.execution.retries import RetryMode
from dagster_celery.executor import CeleryExecutor
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

with open(sys.argv[2]) as example:
    settings = yaml.safe_load(example)["executor"]["config"]["config_source"]
executor = CeleryExecutor(
    RetryMode.DISABLED, broker=sys.argv[1], backend="cache+memory://", config_source=settings
)
create_task(make_app(executor.app_args())).apply_async(({}, {}), priority=5, queue="dagster")
"""
OUTCOME = re.compile(
    r"^(first|second) +(\d{4}-\d{2}) .*(already loaded|loaded$|failed|stopped)", re.MULTILINE
)
logger = logging.getLogger(__name__)
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}")


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
        machine = partial(Machine, first_month=MONTHS[0], limit=LIMIT, concurrency=4)
        one, other = machines = [
            closing.enter_context(machine(tmp_path / name, sandbox, database, shared))
            for name in ("one", "other")
        ]
        watch = closing.enter_context(Watch(tmp_path))

        lose_a_worker_and_the_command(one, other, shared)
        missing = PARTS - shared.loaded()
        assert missing
        code, outcomes = load_while_services_restart(one, shared, len(missing))
        if code == 1:
            # Where PostgreSQL broke off a statement: the table says what to repeat.
            named = {part for part, outcome in outcomes.items() if outcome in {"failed", "stopped"}}
            wait_until_idle(shared)
            missing = PARTS - shared.loaded()
            assert missing <= named
            code, outcomes = ended(one, start_backfill(one))

        assert code == 0, one.output.read_text("utf-8")[-5000:]
        assert set(outcomes.values()) == {"loaded", "already loaded"}
        assert {part for part, outcome in outcomes.items() if outcome == "loaded"} == missing
        assert max(watch.at_once.values()) == 1
        assert len(watch.machines) == 2
        first = milliseconds(MONTHS[0])
        wanted = [event for event in sandbox.hubspot_events() if first <= event["created"]]
        delivered = assert_each_once(sandbox, more_than=1_000, events=wanted)
        # The sandbox holds each account to its limit: 429 is what more would have got.
        assert "429" not in sandbox.hubspot_stats()["by_status"]
        assert_the_hour_came_before_waiting_months(shared)
        assert_history_tells(one, MONTHS, delivered=delivered, requests=LIMIT // PLACES)
        assert_one_history(machines)
        assert all(list(machine.home.glob("*/compute_logs/*.err")) for machine in machines)


def test_a_part_is_handed_to_a_broker_that_comes_later() -> None:
    with running_rabbitmq(EXAMPLES / "rabbitmq.conf") as (url, broker):
        broker.stop()
        python, example = str(DAGSTER / "python"), str(EXAMPLES / "celery.yml")
        with subprocess.Popen([python, "-c", HANDS_A_PART_OVER, url, example]) as publisher:
            # Longer than kombu waits if it is not told to, the start of Python included.
            with pytest.raises(subprocess.TimeoutExpired):
                publisher.wait(12)
            broker.start()
            code = publisher.wait(PATIENCE)

    assert code == 0


def start_backfill(machine: Machine) -> subprocess.Popen[bytes]:
    return machine.start("invoke", "dagster:backfill", "--from", MONTHS[0], "--to", MONTHS[-1])


def ended(machine: Machine, backfill: subprocess.Popen[bytes]) -> tuple[int, dict[Part, str]]:
    """The exit code of a backfill, and what its table says of each account and month."""
    code = backfill.wait(PATIENCE)
    output = machine.output.read_text("utf-8")
    logger.info("The backfill ended with %d:\n%s", code, output[output.rfind("account  month") :])
    return code, {(account, month): outcome for account, month, outcome in OUTCOME.findall(output)}


def lose_a_worker_and_the_command(one: Machine, other: Machine, shared: Shared) -> None:
    """Begin with all months, beside an hourly run, and kill first a worker, then the command."""
    backfill = start_backfill(one)
    places = PLACES * len(ACCOUNTS)
    wait_for(lambda: shared.at_work() == places, backfill)
    hourly = other.start(*HOURLY, "-j", "hubspot_to_amplitude", log="hourly.txt")
    wait_for(lambda: bool(meltano_runs(other.folder)), backfill)
    logger.info("A worker is killed.")
    other.kill_worker()
    other.work()
    wait_for(lambda: len(shared.loaded()) >= len(PARTS) // 3, backfill)
    logger.info("The command is killed.")
    (command,) = (pid for pid, words, _ in processes(one.folder) if b"email-events-back" in words)
    os.kill(command, signal.SIGKILL)
    backfill.wait(PATIENCE)
    assert hourly.wait(PATIENCE) == 0, (other.folder / "hourly.txt").read_text("utf-8")[-5000:]
    wait_until_idle(shared)


def load_while_services_restart(
    one: Machine, shared: Shared, missing: int
) -> tuple[int, dict[Part, str]]:
    """Load what is left, while each of what the machines share fails once."""
    loaded_before = len(PARTS) - missing
    backfill = start_backfill(one)

    def at(thirds: int) -> Callable[[], bool]:
        """As soon as some of what is left is loaded and more is read; or never any more."""
        wanted = loaded_before + missing * thirds // 3
        return lambda: (
            backfill.poll() is not None
            or bool(meltano_runs(one.folder.parent) and len(shared.loaded()) >= wanted)
        )

    failures = {
        "The broker restarts.": shared.broker.restart,
        "PostgreSQL restarts.": shared.database.restart,
        "The bucket refuses for ten seconds.": shared.refuse,
    }
    for thirds, (sentence, fail) in enumerate(failures.items()):
        wait_for(at(thirds))
        logger.info(sentence)
        fail()
    return ended(one, backfill)


def wait_until_idle(shared: Shared) -> None:
    """Wait until the workers have finished what they are at, though nobody waits for them."""
    idle = 0
    while idle < IDLE_SECONDS:
        idle = 0 if shared.at_work() else idle + 1
        time.sleep(1)


def assert_the_hour_came_before_waiting_months(shared: Shared) -> None:
    """Whatever many months wait, the next place of each account is the hour's."""
    starts = shared.starts()
    ((came,),) = [[at for job, step, at in starts if job == "hubspot_to_amplitude" and not step]]
    for account in ACCOUNTS:
        hour = min(at for _, step, at in starts if step == f"email_events__{account}")
        months: dict[str, float] = {}
        for _, step, at in starts:
            if step.startswith(f"months_of_{account}["):
                months[step] = min(at, months.get(step, at))
        # A place may have been given away while the hour's run began.
        assert len([at for at in months.values() if came < at < hour]) <= 1
        assert len([at for at in months.values() if hour < at]) >= 1


def assert_one_history(machines: list[Machine]) -> None:
    """`jobs` reads the logs of both machines as one."""
    logs = [str(machine.folder / "output/jobs.jsonl") for machine in machines]
    counts = [len(Path(log).read_text("utf-8").splitlines()) for log in logs]
    command = [str(JOBS), *logs, "--json", "--limit", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    runs = json.loads(done.stdout)
    assert min(counts) > 0
    assert len(runs) == sum(counts)
