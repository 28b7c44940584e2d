"""Where other people's plugins are installed: environments of their own, beside the Makefile."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ROOT = Path(__file__).parents[2]
OTHERS = ROOT / ".venv-interoperability/bin"
BENCH = ROOT / ".venv-bench/bin"
OURS = Path(sys.executable).parent
PATIENCE = 180
START_PATIENCE = 60.0
STOP_PATIENCE = 60.0


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


class Server:
    """A server's process, from when it answers on."""

    def __init__(
        self,
        command: Sequence[str],
        answers: Callable[[], bool],
        *,
        user: str | None = None,
        variables: Mapping[str, str] | None = None,
        stop: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._command = command
        self._answers = answers
        self._user = user
        self._environment = os.environ | dict(variables or {})
        self._signal = stop

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            self._command,
            user=self._user,
            group=self._user,
            env=self._environment,
            cwd="/",
            stdout=quiet,
            stderr=quiet,
        )
        until = time.monotonic() + START_PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise AssertionError(f"{self._command[0]} does not answer")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        self._process.send_signal(self._signal)
        self._process.wait(STOP_PATIENCE)

    def restart(self) -> None:
        """Stop it, and start it again on what it keeps on disk."""
        self.stop()
        self.start()
