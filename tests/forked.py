"""Plugins in processes of their own that need not import anything first.

Most of a plugin's start is imports, and tests start plugins hundreds of times. Here a process is
forked from one that has imported them. It is like one that was started, but for what Python decides
as it starts, such as its buffering; tests of that use `subprocess`.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path
from threading import Timer
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from typing_extensions import Self

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tap_hubspot_email_events.tap", "target_amplitude.target"])


class Forked:
    """A command and its arguments, with as much of the interface of `Popen` as tests need.

    The command is that of a plugin, or a module as `python -m` takes it.
    """

    def __init__(
        self,
        command: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stdin: bytes = b"",
    ) -> None:
        """Start it, by default in this process's environment and folder."""
        out, child_out = _CONTEXT.Pipe(duplex=False)
        err, child_err = _CONTEXT.Pipe(duplex=False)
        # What it is forked from has the variables and the folder of the time when that was started.
        variables = dict(os.environ if environment is None else environment)
        start = (command, arguments, variables, folder or Path.cwd(), stdin)
        self._process = _CONTEXT.Process(target=_run, args=(*start, child_out, child_err))
        self._process.start()
        self.stdout: IO[bytes] = os.fdopen(os.dup(out.fileno()), "rb")
        self.stderr: IO[bytes] = os.fdopen(os.dup(err.fileno()), "rb")
        for end in (out, err, child_out, child_err):
            end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            self.kill()
        self.stdout.close()
        self.stderr.close()
        self._process.join()

    @property
    def returncode(self) -> int | Any:
        """The exit code, the negative number of the signal that ended it, None while it runs."""
        return self._process.exitcode

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float) -> None:
        self._process.join(timeout)

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        """What it writes until it ends; it is killed after so many seconds."""
        timer = Timer(timeout, self.kill)
        timer.start()
        try:
            with ThreadPoolExecutor(2) as pool:
                output, errors = pool.map(lambda stream: stream.read(), (self.stdout, self.stderr))
            self._process.join()
        finally:
            timer.cancel()
        return output, errors


def _run(
    command: str,
    arguments: tuple[str, ...],
    variables: dict[str, str],
    folder: Path,
    stdin: bytes,
    *outputs: Connection,
) -> None:
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        os.dup2(file.fileno(), 0)
    sys.stdin = os.fdopen(0)
    for number, output in enumerate(outputs, 1):
        os.dup2(output.fileno(), number)
        output.close()
    sys.argv = [command, *arguments]
    for script in entry_points(group="console_scripts", name=command):
        script.load()()
        return
    runpy.run_module(command, run_name="__main__", alter_sys=True)
