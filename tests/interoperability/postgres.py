"""A PostgreSQL server of one's own, from the system's packages."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interoperability.environment import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

# The server does not run as root.
SERVER_USER = "postgres"
USER, DATABASE = "tester", "postgres"


def binary(name: str) -> str | None:
    """Where one of PostgreSQL's programs is; Debian keeps them out of the path."""
    found = shutil.which(name)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(versions[-1]) if versions else None)


def missing() -> str:
    """What of PostgreSQL is not installed, empty if nothing."""
    return ", ".join(name for name in ("initdb", "postgres", "psql") if binary(name) is None)


@dataclass(frozen=True)
class Postgres:
    """A server that answers on a port."""

    port: int

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

    def answers(self) -> bool:
        """Whether it can be asked yet."""
        try:
            return self.query("SELECT 1") == [["1"]]
        except subprocess.CalledProcessError:
            return False


@contextmanager
def running_postgres() -> Iterator[tuple[Postgres, Server]]:
    """Start a server in a folder of its own; gives its address and its process."""
    user = SERVER_USER if os.geteuid() == 0 else None
    # Outside pytest's folders, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        if user is not None:
            shutil.chown(folder, user)
        initdb = [str(binary("initdb")), f"--pgdata={folder}/data", f"--username={USER}"]
        subprocess.run(
            [*initdb, "--auth=trust", "--no-sync", "--encoding=UTF8"],
            user=user,
            cwd=folder,
            capture_output=True,
            check=True,
        )
        server = Postgres(free_port())
        command = [str(binary("postgres")), "-D", f"{folder}/data", "-p", str(server.port)]
        command += ["-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        # A fast shutdown: the default waits for every client to leave.
        with Server(command, server.answers, user=user, stop=signal.SIGINT) as process:
            yield server, process
