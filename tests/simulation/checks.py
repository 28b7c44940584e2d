"""What has to hold after each run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulation.pipeline import received, received_at_rest
from simulation.plan import KINDS
from simulation.truth import moved_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulation.pipeline import Ended
    from simulation.plan import Step
    from simulation.world import World

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
FORGIVEN = {kind.name for kind in KINDS if kind.forgiven}
# After these Amplitude may still be taking in what the target had sent.
CUT_OFF = frozenset({"target killed", "both killed", "target terminated"})
RESTORED = frozenset({"state of a day ago", "state of the first format"})
MOST_SHOWN = 5


def after_run(world: World, step: Step, ended: Sequence[Ended]) -> list[str]:
    """Take in what a run has done; returns a sentence for each promise it broke."""
    kinds = {fault.kind for fault in step.faults}
    before = world.state
    if kinds & CUT_OFF:
        received_at_rest(world.sandbox)
    _take_in(world)
    broken: list[str] = []
    for each in ended:
        for state in each.states:
            broken += world.truth.covered_but_nowhere(state, _milliseconds(world))
        broken += _leaks(world, each)
        if not each.is_good and not kinds & FORGIVEN:
            tail = each.log[-1500:]
            broken.append(f"it ended with {each.tap} and {each.target}: {tail}")
        if each.states:
            world.state = each.states[-1]
    if not kinds & (RESTORED | {"two at once"}):
        broken += [f"the bookmark of {name} moved back" for name in moved_back(before, world.state)]
    broken += _job_log(world, kinds, ended)
    if world.truth.doubled:
        broken.append(f"{world.truth.doubled} events are in Amplitude twice")
    if not kinds & (FORGIVEN | {"through Meltano"}) and world.hour > world.quota_until:
        missing = world.truth.missing(_milliseconds(world))
        broken += [f"{each.id} was visible and is nowhere" for each in missing]
    world.states.append(world.state)
    return broken[:MOST_SHOWN]


def _milliseconds(world: World) -> int:
    return int(world.now * 1000)


def _take_in(world: World) -> None:
    """Note what Amplitude has kept and what was rejected since the last run."""
    new = world.sandbox.amplitude_events(world.seen)
    world.seen += len(new)
    world.truth.arrive([event["event_properties"]["id"] for event in new])
    path = Path(world.folder / "rejected.jsonl")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                world.truth.rejected.add(message["record"]["id"])


def _leaks(world: World, ended: Ended) -> Iterator[str]:
    if found := ADDRESS.search(ended.log):
        yield f"a log names an address: {found[0]}"
    for secret in world.secrets:
        if secret in ended.log:
            yield f"a log names a secret: {secret}"


def _job_log(world: World, kinds: set[str], ended: Sequence[Ended]) -> list[str]:
    """Whether each run that ended by itself has its line, and the line is what happened."""
    path = world.folder / "jobs.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    new = [json.loads(line) for line in lines[world.jobs :]]
    world.jobs = len(lines)
    broken: list[str] = []
    is_complete = not kinds & {"target killed", "both killed", "disk full for the job log"}
    new_events = received(world.sandbox) - world.received_before
    world.received_before += new_events
    # A signal may come while the target still starts, so that it has nothing to tell.
    has_begun = new_events > 0 or any(each.states for each in ended)
    is_complete = is_complete and (has_begun or "target terminated" not in kinds)
    if is_complete and len(new) != len(ended):
        broken.append(f"{len(new)} lines in the job log for {len(ended)} runs")
    delivered = sum(stream["delivered"] for job in new for stream in job["streams"])
    # What was sent when a run was ended, or in answers that never came, may have been received.
    is_exact = is_complete and not kinds & {"Amplitude in trouble", "target terminated"}
    if delivered > new_events or (is_exact and delivered != new_events):
        broken.append(f"the job log has {delivered} delivered, Amplitude received {new_events}")
    for job in new:
        broken += list(_unbalanced(job))
    return broken


def _unbalanced(job: dict[str, Any]) -> Iterator[str]:
    for stream in job["streams"]:
        parts = stream["delivered"] + stream["skipped"] + sum(stream["rejected"].values())
        left = stream["read"] - parts
        if left < 0 or (left and job["outcome"] == "delivered"):
            yield f"{stream['stream']}: {stream['read']} read, {parts} accounted for"
