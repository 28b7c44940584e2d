"""A PostgreSQL server of one's own, from the system's packages."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Self

if TYPE_CHECKING:
    from types import TracebackType

# The server does not run as root.
SERVER_USER = "postgres"
PATIENCE = 30.0
USER, DATABASE = "tester", "postgres"


def binary(name: str) -> str | None:
    """Where one of PostgreSQL's programs is; Debian keeps them out of the path."""
    found = shutil.which(name)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(versions[-1]) if versions else None)


def missing() -> str:
    """What of PostgreSQL is not installed, empty if nothing."""
    return ", ".join(name for name in ("initdb", "postgres", "psql") if binary(name) is None)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Postgres:
    """A server in a folder of its own, until the end of the `with`."""

    def __init__(self) -> None:
        self.port = free_port()
        # Outside pytest's folders, which other users may not enter.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = SERVER_USER if os.geteuid() == 0 else None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        data = self._folder / "data"
        initdb = [
            str(binary("initdb")),
            "--pgdata",
            str(data),
            "--username",
            USER,
            "--auth",
            "trust",
        ]
        subprocess.run(
            [*initdb, "--no-sync", "--encoding", "UTF8"],
            user=self._user,
            cwd=self._folder,
            capture_output=True,
            check=True,
        )
        self._server = subprocess.Popen(
            [
                str(binary("postgres")),
                *("-D", str(data), "-p", str(self.port), "-k", str(self._folder)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"),
            ],
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.query("SELECT 1")
                return self
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL does not answer")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and remove what it has written."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, scheme: str = "postgresql") -> str:
        """Its address, for SQLAlchemy's dialects."""
        return f"{scheme}://{USER}@127.0.0.1:{self.port}/{DATABASE}"

    def query(self, statement: str) -> list[list[str]]:
        """The rows of a statement, as text."""
        done = subprocess.run(
            [str(binary("psql")), self.url(), "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1"],
            input=statement,
            capture_output=True,
            text=True,
            check=True,
        )
        return [line.split("\t") for line in done.stdout.splitlines()]
