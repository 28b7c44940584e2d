"""Where other people's plugins are installed: environments of their own, beside the Makefile."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
OTHERS = ROOT / ".venv-interoperability/bin"
BENCH = ROOT / ".venv-bench/bin"
OURS = Path(sys.executable).parent
PATIENCE = 180
START_PATIENCE = 30.0


def run(
    command: Path | str,
    config: Mapping[str, Any],
    folder: Path,
    *options: str,
    given: Iterable[str] = (),
) -> list[str]:
    """Run a plugin with a configuration, and return the lines it wrote."""
    path = folder / f"{Path(command).name}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [str(command), "--config", str(path), *options],
        input="".join(f"{line}\n" for line in given),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], answers: Callable[[], bool], *, user: str | None = None
) -> Iterator[None]:
    """Run a server from when it answers until the end of the `with`."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, user=user, cwd="/", stdout=quiet, stderr=quiet) as server:
        try:
            until = time.monotonic() + START_PATIENCE
            while not answers():
                assert time.monotonic() < until, f"{command[0]} does not answer"
                time.sleep(0.05)
            yield
        finally:
            server.terminate()
