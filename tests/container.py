"""The image of the Dockerfile: by docker or podman, or its steps as a script where neither is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINES = ("docker", "podman")
PATIENCE = 900


def engine() -> str | None:
    """Return the program that runs containers here, if one does."""
    for name in ENGINES:
        path = shutil.which(name)
        if path and not subprocess.run([path, "info"], capture_output=True, check=False).returncode:
            return path
    return None


@dataclass(slots=True)
class Script:
    """The Dockerfile's steps, below a folder in the place of the image's root.

    Attributes:
        context: The folder that is built from.
        root: Where `/opt` and `/project` are.
        dockerfile: Below the context.
        command: What the image runs.
    """

    context: Path
    root: Path
    variables: dict[str, str]
    dockerfile: str = "Dockerfile"
    command: list[str] = field(default_factory=list)

    def build(self) -> None:
        """Take every step but those that choose a user or another stage.

        Raises:
            AssertionError: A step failed, or is of a kind that is not known here.
        """
        binaries = self.root / "bin"
        binaries.mkdir(parents=True)
        (binaries / "python").symlink_to(Path(sys.base_prefix) / "bin/python3")
        self.variables["PATH"] = f"{binaries}:{self.variables['PATH']}"
        text = (self.context / self.dockerfile).read_text("utf-8").replace("\\\n", " ")
        text = re.sub(r"(?<![\w.])/(opt/meltano|project)\b", rf"{self.root}/\1", text)
        entry: list[str] = []
        for step in re.findall(r"^([A-Z]+) +(.+)$", text, re.MULTILINE):
            match step:
                case "ENV", assignments:
                    for name, value in re.findall(r"(\w+)=(\S+)", assignments):
                        self.variables[name] = value.replace("$PATH", self.variables["PATH"])
                case "RUN", words if "useradd" not in words:
                    self._run(["sh", "-ec", words])
                case "COPY", paths if not paths.startswith("--from"):
                    # Owners are for root, who builds an image.
                    self._copy(*paths.removeprefix("--chown=meltano:meltano ").split())
                case "WORKDIR", folder:
                    Path(folder).mkdir(exist_ok=True)
                case "ENTRYPOINT", words:
                    entry = json.loads(words)
                case "CMD", words:
                    self.command = [*entry, *json.loads(words)]
                case kind, _:
                    assert kind in {"FROM", "USER", "COPY", "RUN"}, step

    def run(self, variables: Mapping[str, str]) -> str:
        """Run the image's command and return what it printed.

        Raises:
            AssertionError: It failed.
        """
        self.variables.update(variables)
        return self._run(self.command)

    def _copy(self, source: str, target: str) -> None:
        into = self.root / "project" / target
        into.parent.mkdir(parents=True, exist_ok=True)
        if (self.context / source).is_dir():
            shutil.copytree(self.context / source, into, symlinks=True)
        else:
            if target.endswith("/"):
                into.mkdir(exist_ok=True)
            shutil.copy(self.context / source, into)

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.root / "project",
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}"
        return done.stdout
