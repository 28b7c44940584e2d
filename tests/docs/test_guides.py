"""Every command of every guide works as it is written, in a copy of the project beside the sandbox.

`make test-guides` runs it; each page begins in a copy of its own, with the sandbox's credentials
in the environment where a reader has those of live accounts in `.env`.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from container import Script, engine
from guide_blocks import GUIDES, ROOT, Block, blocks_of, unprinted
from sandbox.__main__ import HINTS
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

PORTS = (8701, 8702)
PATIENCE = 1800
CREDENTIALS = {
    "TAP_HUBSPOT_EMAIL_EVENTS_API_URL": f"http://127.0.0.1:{PORTS[0]}",
    "TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN": "sandbox-access-token",
    "HUBSPOT_EMEA_ACCESS_TOKEN": "sandbox-access-token-2",
    "TARGET_AMPLITUDE_API_URL": f"http://127.0.0.1:{PORTS[1]}",
    "TARGET_AMPLITUDE_API_KEY": "sandbox-api-key",
    "TARGET_AMPLITUDE_SECRET_KEY": "sandbox-secret-key",
}
INSTALLED = (
    ".venv",
    ".venv-meltano",
    ".meltano/extractors",
    ".meltano/loaders",
    ".meltano/mappers",
)
RUN = [
    guide for guide in GUIDES if any(block.is_run for block in blocks_of(guide.read_text("utf-8")))
]


class Terminal:
    """A shell in a copy of the project: variables and folder go from one block to the next."""

    def __init__(self, folder: Path, *, has_meltano: bool) -> None:
        self.project = folder / "project"
        self._variables = folder / "variables.sh"
        self._output = folder / "output.txt"
        tracked = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in tracked.stdout.splitlines():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path, follow_symlinks=False)
        for name in INSTALLED:
            (self.project / name).parent.mkdir(exist_ok=True)
            (self.project / name).symlink_to(ROOT / name)
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TAP_HUBSPOT_EMAIL_EVENTS_", "TARGET_AMPLITUDE_", "MELTANO_"))
        } | CREDENTIALS
        # What `make test` would run is collected only; CI runs it as it stands.
        self._environment["PYTEST_ADDOPTS"] = "--collect-only --quiet"
        if has_meltano:
            self._environment["PATH"] = f"{ROOT / '.venv-meltano/bin'}:{self._environment['PATH']}"
        self._variables.write_text(f"cd '{self.project}'\n", "utf-8")
        self._others: list[subprocess.Popen[bytes]] = []

    def type(self, block: Block) -> str:
        """Run a block and return what it printed.

        Raises:
            AssertionError: It ended with another exit code than the page says.
        """
        keep = f"{{ echo \"cd '$PWD'\"; export -p; }} > {self._variables}"
        script = f"set -e\n. {self._variables}\n{block.text}\n{keep}\n"
        with self._output.open("wb") as output:
            code = subprocess.run(
                ["bash", "-c", script],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            ).returncode
        printed = self._output.read_text("utf-8", errors="replace")
        assert code in block.exit_codes, f"line {block.line}: exit code {code}\n{printed[-5000:]}"
        assert "Traceback" not in printed, printed
        return printed

    def run_image(self, block: Block) -> str:
        """Build the image and run it: as typed where there is an engine, else as a script."""
        program = engine()
        if program is None:
            variables = {
                name: value for name, value in self._environment.items() if name not in CREDENTIALS
            }
            # uv does not read pip's settings.
            if "PIP_INDEX_URL" in variables:
                variables.setdefault("UV_DEFAULT_INDEX", variables["PIP_INDEX_URL"])
            script = Script(self.project, self.project.parent / "image", variables)
            script.build()
            return script.run(CREDENTIALS)
        settings = "".join(f"{name}={value}\n" for name, value in CREDENTIALS.items())
        (self.project / ".env").write_text(settings, "utf-8")
        # On the network of this machine, where the sandbox is.
        shim = self.project.parent / "engine/docker"
        shim.parent.mkdir()
        shim.write_text(
            f'#!/bin/sh\ncommand=$1; shift\n[ "$command" = run ] && set -- --network host "$@"\n'
            f'exec {program} "$command" "$@"\n',
            "utf-8",
        )
        shim.chmod(0o700)
        self._environment["PATH"] = f"{shim.parent}:{self._environment['PATH']}"
        return self.type(block)

    def start(self, block: Block) -> None:
        """Run a block that goes on, and wait until both services answer."""
        other = subprocess.Popen(
            ["bash", "-c", block.text],
            cwd=self.project,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._others.append(other)
        deadline = time.monotonic() + PATIENCE
        while not all(map(_listens, PORTS)):
            assert other.poll() is None, "it has ended"
            assert time.monotonic() < deadline, "nothing listens"
            time.sleep(0.2)

    def close(self) -> None:
        """Stop what goes on."""
        for other in self._others:
            os.killpg(other.pid, signal.SIGINT)
            other.wait(PATIENCE)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def sandbox(blocks: list[Block]) -> Iterator[None]:
    """Serve both services where no block of the page does."""
    assert not any(map(_listens, PORTS)), f"something listens on one of {PORTS}"
    if any(block.remark == "in another terminal" for block in blocks):
        yield
        return
    with Sandbox(
        hubspot_port=PORTS[0],
        amplitude_port=PORTS[1],
        events=5000,
        arriving_per_hour=10_800,
        export_delay_hours=-1,
    ):
        yield


@pytest.mark.parametrize("guide", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_guide_works_as_it_is_written(guide: Path, tmp_path: Path) -> None:
    blocks = blocks_of(guide.read_text("utf-8"))
    terminal = Terminal(tmp_path, has_meltano=guide.name != "README.md")
    printed = ""
    with sandbox(blocks):
        try:
            for block in blocks:
                if block.remark == "in another terminal":
                    terminal.start(block)
                elif block.is_run or block.remark == "container":
                    began = time.monotonic()
                    take = terminal.type if block.is_run else terminal.run_image
                    printed = take(block)
                    seconds = time.monotonic() - began
                    logger.info("line %d, %.0f s: %s", block.line, seconds, block.text)
                elif block.remark == "prints":
                    assert unprinted(block.text, printed) == [], f"line {block.line}\n{printed}"
        finally:
            terminal.close()


def test_what_the_sandbox_says_can_be_tried(tmp_path: Path) -> None:
    commands = HINTS[HINTS.index("export ") : HINTS.index("The environment")]
    terminal = Terminal(tmp_path, has_meltano=False)
    with sandbox([]):
        printed = terminal.type(Block(0, "sh", "", commands))
    assert unprinted('{"[HubSpot] EMAIL_DELIVERED":1,...\n... all ...', printed) == []
