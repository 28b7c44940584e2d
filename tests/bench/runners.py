"""What is measured: each runner as a pipe of commands, for all events or for none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.pipeline import command, environment

if TYPE_CHECKING:
    from sandbox.client import Sandbox

BIN = Path(sys.executable).parent
BENCH_PYTHON = Path(".venv-bench/bin/python")
MELTANO = Path(".venv-meltano/bin/meltano")
UNLIMITED = 10_000
LONG_AGO = "2006-06-01T00:00:00+00:00"
NOTHING_YET = "2006-06-01T00:00:01+00:00"


@dataclass(frozen=True)
class Runner:
    """A way of moving the events, or a half of it."""

    name: str
    commands: dict[str, list[str]]
    empty_commands: dict[str, list[str]]
    reads_file: bool = False
    writes_file: bool = False


def all_runners(sandbox: Sandbox, folder: Path) -> list[Runner]:
    """Return the runners in the order of the table; config files go to the folder."""
    configs = _write_configs(sandbox, folder)
    return [
        _floor(sandbox),
        *_plain(configs),
        _singer_io(sandbox),
        *_ours(configs, BIN),
        _meltano(sandbox, folder),
    ]


def both_runners(sandbox: Sandbox, folder: Path, against: Path) -> list[Runner]:
    """Return the floor and each of our runners beside that of another checkout."""
    configs = _write_configs(sandbox, folder)
    ours, others = _ours(configs, BIN), _ours(configs, against / ".venv/bin")
    pairs = [
        (replace(other, name=f"{other.name}, {against.name}"), own)
        for other, own in zip(others, ours, strict=True)
    ]
    return [_floor(sandbox), *(runner for pair in pairs for runner in pair)]


def _write_configs(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    tap = {
        "api_url": sandbox.hubspot_url,
        "access_token": "sandbox-access-token",
        "requests_per_10_seconds": UNLIMITED,
        "start_date": LONG_AGO,
        "enrich_campaigns": False,
    }
    target = {
        "api_url": sandbox.amplitude_url,
        "api_key": "sandbox-api-key",
        "rejected_path": str(folder / "rejected.singer.jsonl"),
    }
    configs = {
        "tap": tap,
        "empty-tap": tap | {"end_date": NOTHING_YET},
        "target": target,
        "every-stream": _catalog_of_every_stream(),
    }
    paths = {}
    for name, config in configs.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        paths[name] = str(path)
    return paths


def _catalog_of_every_stream() -> dict[str, Any]:
    tap = str(BIN / "tap-hubspot-email-events")
    found = subprocess.run([tap, "--discover"], capture_output=True, check=True)
    catalog: dict[str, Any] = json.loads(found.stdout)
    for stream in catalog["streams"]:
        for each in stream["metadata"]:
            each["metadata"]["selected"] = True
    return catalog


def _floor(sandbox: Sandbox) -> Runner:
    floor = [sys.executable, "-m", "bench.floor", "--hubspot-url", sandbox.hubspot_url]
    floor += ["--amplitude-url", sandbox.amplitude_url]
    return Runner("floor", {"floor": floor}, {"floor": [*floor, "--end-ms", "1"]})


def _plain(configs: dict[str, str]) -> list[Runner]:
    tap = [sys.executable, "-m", "bench.plain_tap", "--config", configs["tap"]]
    empty_tap = [sys.executable, "-m", "bench.plain_tap", "--config", configs["empty-tap"]]
    target = [sys.executable, "-m", "bench.plain_target", "--config", configs["target"]]
    return [
        Runner("plain SDK tap", {"tap": tap}, {"tap": empty_tap}, writes_file=True),
        Runner("plain SDK target", {"target": target}, {"target": target}, reads_file=True),
    ]


def _singer_io(sandbox: Sandbox) -> Runner:
    tap = [str(BENCH_PYTHON), "-m", "bench.singer_io_tap", sandbox.hubspot_url]
    return Runner(
        "singer-io tap-hubspot 4.5",
        {"tap": [*tap, LONG_AGO]},
        {"tap": [*tap, "2100-01-01T00:00:00Z"]},
        writes_file=True,
    )


def _ours(configs: dict[str, str], binaries: Path) -> list[Runner]:
    tap = [str(binaries / "tap-hubspot-email-events"), "--config", configs["tap"]]
    empty_tap = [*tap[:-1], configs["empty-tap"]]
    target = [str(binaries / "target-amplitude"), "--config", configs["target"]]
    everything = ["--catalog", configs["every-stream"]]
    return [
        Runner("tap", {"tap": tap}, {"tap": empty_tap}, writes_file=True),
        Runner(
            "tap, all 22 streams",
            {"tap": [*tap, *everything]},
            {"tap": [*empty_tap, *everything]},
            writes_file=True,
        ),
        Runner("target", {"target": target}, {"target": target}, reads_file=True),
        Runner(
            "tap | target",
            {"tap": tap, "target": target},
            {"tap": empty_tap, "target": target},
        ),
    ]


def _meltano(sandbox: Sandbox, folder: Path) -> Runner:
    variables = environment(sandbox, folder) | {
        "MELTANO_DATABASE_URI": f"sqlite:///{folder.resolve()}/meltano.db",
        "TAP_HUBSPOT_EMAIL_EVENTS_REQUESTS_PER_10_SECONDS": str(UNLIMITED),
        "TAP_HUBSPOT_EMAIL_EVENTS_START_DATE": LONG_AGO,
        "TAP_HUBSPOT_EMAIL_EVENTS_ENRICH_CAMPAIGNS": "false",
    }
    ends = f"TAP_HUBSPOT_EMAIL_EVENTS_END_DATE={NOTHING_YET}"
    settings = [
        f"{name}={value}" for name, value in variables.items() if os.environ.get(name) != value
    ]
    run = command(MELTANO, "--full-refresh")
    return Runner(
        "meltano run",
        {"meltano": ["env", *settings, *run]},
        {"meltano": ["env", *settings, ends, *run]},
    )
