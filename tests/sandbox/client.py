"""The sandbox from Python: starts it in its own process, asks it, and switches faults on."""

from __future__ import annotations

import http.client
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from typing_extensions import Self

if TYPE_CHECKING:
    from sandbox.control import Commands
else:
    Commands = object

TESTS = Path(__file__).parents[1]
PATIENCE = 180
STOP_PATIENCE = 10


class SandboxError(Exception):
    """The sandbox did not start, or refused a command."""


class Sandbox(Commands):
    """A running sandbox, with a method for each command of its control interface."""

    def __init__(self, **options: Any) -> None:
        """Take the options of the command line."""
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.hubspot_url = self.amplitude_url = ""

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            SandboxError: It ended instead.
        """
        command = [sys.executable, "-m", "sandbox", "--until-input-ends"]
        for name, value in self._options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        self._process = subprocess.Popen(
            command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        ready = self._process.stdout.readline() if self._process.stdout else b""
        if not ready:
            self.__exit__()
            raise SandboxError("the sandbox did not start; its own words are above")
        urls = msgspec.json.decode(ready)
        self.hubspot_url, self.amplitude_url = urls["hubspot_url"], urls["amplitude_url"]
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and wait for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def command(self, name: str, /, *unnamed: Any, **named: Any) -> Any:
        """Give one command of the control interface and return its result.

        Raises:
            SandboxError: The sandbox refused it.
        """
        connection = http.client.HTTPConnection(urlsplit(self.hubspot_url).netloc, timeout=PATIENCE)
        try:
            connection.request("POST", f"/_sandbox/{name}", msgspec.json.encode([unnamed, named]))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise SandboxError(f"{name}: {content.decode()}")
        return msgspec.json.decode(content)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return partial(self.command, name)
