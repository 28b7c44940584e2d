"""Meltano as a child process that ends with its parent."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from email_events_orchestration.errors import PartError

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 60
PR_SET_PDEATHSIG = 1


def run(*arguments: str, environment: Mapping[str, str], inherited: tuple[int, ...] = ()) -> None:
    """Run `meltano run`; its output is that of this process, where Dagster keeps it.

    Raises:
        PartError: It failed, or was killed.
    """
    process = subprocess.Popen(  # noqa: S603 - names of plugins come from the configuration
        [_executable(), "run", *arguments],
        cwd=root(),
        env=os.environ | environment,
        pass_fds=inherited,
        # What Meltano keeps of a run holds settings.
        umask=0o077,
        # Or it would go on beside its own repetition after this process was killed.
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one system call
    )
    try:
        code = process.wait()
    except BaseException:
        _terminate(process)
        raise
    if code < 0:
        raise PartError(f"meltano run was killed by signal {-code}; it is run again.")
    if code > 0:
        raise PartError(f"meltano run ended with exit code {code}; its output says why.")


def private_system_folder(folder: Path) -> dict[str, str]:
    """Make a system folder for one run, with the project's plugins and database.

    Meltano keeps a tap's catalog and state in one file each under `run`, whoever runs the tap, so
    that two runs side by side would take each other's.

    Returns:
        The variables that make Meltano use it.
    """
    shared = root() / ".meltano"
    private = folder / "meltano"
    private.mkdir()
    for plugins in shared.iterdir():
        if plugins.is_dir() and plugins.name != "run":
            (private / plugins.name).symlink_to(plugins)
    return {
        "MELTANO_SYS_DIR_ROOT": str(private),
        "MELTANO_DATABASE_URI": os.environ.get("MELTANO_DATABASE_URI")
        or f"sqlite:///{shared}/meltano.db",
    }


def forget_bookmarks(state_id: str) -> None:
    """Let the next run begin at its beginning.

    Raises:
        PartError: Meltano cannot change its state.
    """
    done = subprocess.run(  # noqa: S603 - as above
        [_executable(), "state", "clear", "--force", state_id], cwd=root(), check=False
    )
    if done.returncode:
        raise PartError("Meltano could not change its state; its output says why.")


def state_id(tap: str, target: str, *suffix: str) -> str:
    """The name under which `meltano run` keeps the bookmarks of a tap and a target."""
    environment = os.environ.get("MELTANO_ENVIRONMENT") or "prod"
    return ":".join((environment, f"{tap}-to-{target}", *suffix))


def variable(plugin: str, setting: str) -> str:
    """The environment variable of a plugin's setting."""
    return f"{plugin}_{setting}".upper().replace("-", "_")


def root() -> Path:
    """The project's folder."""
    return Path(os.environ.get("MELTANO_PROJECT_ROOT", ".")).resolve()


def _executable() -> str:
    # Meltano leaves a link to itself for those it starts.
    link = root() / ".meltano/run/bin"
    found = str(link) if os.access(link, os.X_OK) else shutil.which("meltano")
    if found is None:
        raise PartError("There is no command meltano here; install Meltano beside Dagster.")
    return found


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
