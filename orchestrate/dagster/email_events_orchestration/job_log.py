"""What the target wrote about its runs, as metadata for Dagster's pages. Pure but for the file."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from email_events_orchestration.errors import PartError

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = ("read", "delivered", "skipped", "not_covered", "retried")


def read_last_run(path: Path, state_id: str, since: str) -> dict[str, Any]:
    """The last run under a state id in a target's job log, to which others write as well.

    Raises:
        PartError: There is none since then.
    """
    lines: list[str] = []
    for file in (path, path.with_name(f"{path.name}.1")):
        with suppress(OSError):
            lines = file.read_text(encoding="utf-8").splitlines() + lines
    for line in reversed(lines):
        with suppress(ValueError, KeyError):
            run: dict[str, Any] = json.loads(line)
            if run["state_id"] == state_id and run["started"] >= since:
                return run
    raise PartError(
        "The target left no account of its run; see the output of this step for the reason."
    )


def summarize(run: dict[str, Any]) -> dict[str, Any]:
    """Sum a run's streams up into figures of events, requests (of the target), bytes, seconds.

    Raises:
        PartError: The tap did not read all that it was to read.
    """
    if not run["complete"]:
        raise PartError(
            f"It was read in part only ({run['outcome']}); run it again later, it goes on from "
            "there."
        )
    streams = run["streams"]
    figures: dict[str, Any] = {
        f"events_{name}": sum(stream[name] for stream in streams) for name in COUNTS
    }
    figures["events_rejected"] = sum(sum(stream["rejected"].values()) for stream in streams)
    figures["requests"] = run["requests"]
    figures["bytes"] = run["bytes"]
    figures["seconds"] = run["seconds"]
    times = [stream["first_event"] for stream in streams if stream["first_event"]]
    if times:
        figures["first_event"] = min(times)
        figures["last_event"] = max(
            stream["last_event"] for stream in streams if stream["last_event"]
        )
    return figures
