"""The faults that meet a run: what is done to the services, the settings, the processes."""

from __future__ import annotations

import os
import random
import signal
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from at_time import FULL_BYTES
from sandbox.scenarios.steady import PEOPLE
from simulation.world import HOUR

if TYPE_CHECKING:
    from simulation.pipeline import Ended
    from simulation.plan import Step
    from simulation.world import World

SCOPES = ["oauth", "content", "crm.objects.contacts.read"]
# Amplitude takes ids of five characters and more.
TOO_SHORT = "ab@c"
TROUBLE_AT_HUBSPOT: tuple[dict[str, Any], ...] = (
    {"action": "answer", "status": 500},
    {"action": "answer", "status": 502},
    {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}},
    {"action": "answer", "status": 477, "headers": {"Retry-After": "0"}},
    {"action": "answer", "status": 401, "times": 1},
    {"action": "cut"},
    {"action": "half_body"},
    {"action": "html", "times": 2},
)
TROUBLE_AT_AMPLITUDE: tuple[dict[str, Any], ...] = (
    {"action": "answer", "status": 500},
    {"action": "answer", "status": 429, "headers": {"Retry-After": "0"}},
    {"action": "answer", "status": 413, "json": {"code": 413, "error": "Payload too large"}},
    {"action": "accept_then_answer", "status": 502},
    {"action": "accept_then_cut"},
    {"action": "ingest_fewer"},
    {"action": "half_body"},
    {"action": "html"},
    {"action": "cut"},
)
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tap", {"page_size": 40}),
    ("tap", {"page_size": 1000}),
    ("tap", {"lookback_minutes": 240}),
    ("tap", {"lookback_minutes": 120}),
    ("tap", {"max_concurrent_requests": 1}),
    ("tap", {"max_concurrent_requests": 16}),
    ("tap", {"enrich_campaigns": True, "contact_properties": ["product_user_id"]}),
    ("tap", {"enrich_campaigns": False, "contact_properties": []}),
    ("target", {"batch_size_rows": 7}),
    ("target", {"batch_size_rows": 2000}),
    ("target", {"max_concurrent_requests": 1}),
    ("target", {"max_concurrent_requests": 8}),
    ("target", {"endpoint": "httpapi"}),
    ("target", {"endpoint": "batch"}),
    ("target", {"user_properties": "never"}),
    ("target", {"gzip": True}),
)


def run(world: World, step: Step) -> list[Ended]:
    """Run once, as the step has it; two runs at once end as two."""
    world.go_to(step.hour)
    with ExitStack() as undo:
        undo.callback(world.sandbox.set_latency, hubspot=0, amplitude=0)
        undo.callback(world.sandbox.clear_faults)
        return Meeting(world, step, undo).run()


class Meeting:
    """One run, and the faults that meet it; some of them are undone after it."""

    def __init__(self, world: World, step: Step, undo: ExitStack) -> None:
        self._world = world
        self._number = step.number
        self._amounts = {fault.kind: fault.amount for fault in step.faults}
        self._order = random.Random(f"{world.seed}/{step.number}")
        self._undo = undo

    def run(self) -> list[Ended]:
        """Put the faults in force, and run."""
        for kind, amount in self._amounts.items():
            # Others are made by how the processes are run.
            put_in_force = getattr(self, _name(kind), None)
            if put_in_force:
                put_in_force(amount)
        if any(kind.endswith(("killed", "terminated", "rotated")) for kind in self._amounts):
            # Many small requests, slow enough for a kill to fall between two of them.
            self._world.sandbox.set_latency(hubspot=0.03, amplitude=0.03)
            self._change("tap", page_size=10)
            self._change("target", batch_size_rows=8)
        return self._run()

    def _run(self) -> list[Ended]:
        world = self._world
        if "through Meltano" in self._amounts:
            return [world.through_meltano()]
        before = self._progress()
        ahead = self._amounts.get("clock set back", 0) + self._amounts.get("clock set forth", 0)
        running = world.start(ahead)
        if "two at once" in self._amounts:
            second = world.start(ahead, "second")
            ended = [running.wait(), second.wait()]
            return ended if self._amounts["two at once"] < 1 else ended[::-1]
        for kind, act in (
            ("tap killed", lambda: running.signal(signal.SIGKILL, "tap")),
            ("target killed", lambda: running.signal(signal.SIGKILL, "target")),
            ("both killed", lambda: running.signal(signal.SIGKILL, "tap", "target")),
            ("target terminated", lambda: running.signal(signal.SIGTERM, "target")),
            ("token rotated", self._rotate_token),
        ):
            if kind in self._amounts:
                enough = before + self._amounts[kind]
                running.interfere(partial(self._has_come_to, enough), act)
        return [running.wait()]

    def _has_come_to(self, enough: float) -> bool:
        return self._progress() >= enough

    def _progress(self) -> int:
        """A number that grows with a run: its requests to HubSpot and to Amplitude."""
        sandbox = self._world.sandbox
        stats = sandbox.hubspot_stats(), sandbox.amplitude_stats()
        return sum(int(each["requests"]) for each in stats)

    # Each of the following puts one kind of fault in force.

    def _hubspot_in_trouble(self, amount: float) -> None:
        for _ in range(int(amount)):
            fault = self._order.choice(TROUBLE_AT_HUBSPOT)
            self._world.sandbox.add_fault(
                "hubspot", **{"times": 2, "skip": self._order.randrange(8), **fault}
            )

    def _amplitude_in_trouble(self, amount: float) -> None:
        for _ in range(int(amount)):
            fault = self._order.choice(TROUBLE_AT_AMPLITUDE)
            self._world.sandbox.add_fault(
                "amplitude", **{"times": 2, "skip": self._order.randrange(3), **fault}
            )

    def _hubspots_day_used_up(self, amount: float) -> None:
        sandbox = self._world.sandbox
        used = int(sandbox.hubspot_stats()["requests"])
        sandbox.set_limits(daily_limit=used + int(amount))
        self._undo.callback(sandbox.set_limits, daily_limit=0)

    def _rotate_token(self) -> None:
        """Let the token of a run under way be refused from now on; the next run has a new one."""
        self._token_expired(0)

    def _token_expired(self, _: float) -> None:
        world, token = self._world, f"rotated-token-{self._number}"
        world.sandbox.set_token(world.config["tap"]["access_token"], revoked=True)
        world.sandbox.set_token(token, SCOPES)
        self._replace_later("tap", "access_token", token)

    def _key_rotated(self, _: float) -> None:
        key = f"rotated-key-{self._number}"
        self._world.sandbox.set_amplitude(api_key=key)
        self._replace_later("target", "api_key", key)

    def _replace_later(self, plugin: str, name: str, secret: str) -> None:
        self._world.secrets.append(secret)
        self._undo.callback(self._world.config[plugin].update, {name: secret})

    def _campaigns_deleted(self, _: float) -> None:
        self._world.config["tap"]["enrich_campaigns"] = True
        self._world.sandbox.add_fault(
            "hubspot", action="answer", status=404, path="/email/public/v1/campaigns", json={}
        )

    def _contacts_refused(self, _: float) -> None:
        self._world.config["tap"]["contact_properties"] = ["product_user_id"]
        self._world.sandbox.add_fault(
            "hubspot",
            action="answer",
            status=400,
            path="/crm",
            json={"status": "error"},
            match={"contains": f"reader{self._order.randrange(PEOPLE)}@"},
        )

    def _a_users_quota_used_up(self, amount: float) -> None:
        user = f"reader{int(amount) % PEOPLE}@example.com"
        self._world.sandbox.use_up_quota(user, 1.5 * HOUR)
        self._world.quota_until = self._world.hour + 1.6

    def _events_deleted(self, amount: float) -> None:
        world = self._world
        visible = sorted(world.truth.visible(int(world.now * 1000)))
        chosen = {each.id for each in self._order.sample(visible, min(len(visible), int(amount)))}
        world.sandbox.delete_events(sorted(chosen))
        world.truth.delete(chosen)

    def _events_added_late(self, amount: float) -> None:
        self._world.add_events(int(amount), self._order)

    def _events_that_amplitude_refuses(self, amount: float) -> None:
        self._world.add_events(int(amount), self._order, TOO_SHORT)

    def _disk_full_for_rejects(self, _: float) -> None:
        self._world.add_events(2, self._order, TOO_SHORT)
        self._change("target", rejected_path=self._full_file())

    def _disk_full_for_the_job_log(self, _: float) -> None:
        self._change("target", job_log_path=self._full_file())

    def _full_file(self) -> str:
        path = self._world.folder / "full.jsonl"
        path.touch()
        os.truncate(path, FULL_BYTES)
        return str(path)

    def _change(self, plugin: str, **settings: Any) -> None:
        """Change settings for this run."""
        config = self._world.config[plugin]
        for name, value in settings.items():
            if name in config:
                self._undo.callback(config.update, {name: config[name]})
            else:
                self._undo.callback(config.pop, name)
            config[name] = value

    def _state_of_a_day_ago(self, amount: float) -> None:
        states = self._world.states
        self._world.state = states[max(0, len(states) - 1 - int(amount))]

    def _state_of_the_first_format(self, _: float) -> None:
        entries = self._world.state.get("bookmarks", {})
        kept = ("replication_key", "replication_key_value")
        self._world.state = {
            "bookmarks": {
                stream: {name: entry[name] for name in kept if name in entry}
                for stream, entry in entries.items()
            }
        }

    def _settings_changed(self, amount: float) -> None:
        plugin, change = CHANGES[int(amount) % len(CHANGES)]
        self._world.config[plugin].update(change)


def _name(kind: str) -> str:
    return "_" + kind.lower().replace(" ", "_").replace("'", "")
