"""A RabbitMQ server of one's own, from the system's packages."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from interoperability.environment import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

# Debian's own command starts the system's server, with the system's folders.
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
SERVER_USER = "rabbitmq"


def missing() -> str:
    """What of RabbitMQ is not installed, empty if nothing."""
    return "" if PROGRAM.exists() and shutil.which("epmd") else "rabbitmq-server"


@contextmanager
def running_rabbitmq(configuration: Path) -> Iterator[tuple[str, Server]]:
    """Start a server in a folder of its own; gives its address and its process."""
    user = SERVER_USER if os.geteuid() == 0 else None
    port, epmd_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="rabbitmq-", ignore_cleanup_errors=True) as folder:
        shutil.copy(configuration, f"{folder}/rabbitmq.conf")
        if user is not None:
            shutil.chown(folder, user)
        variables = {
            "HOME": folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(epmd_port),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_NODENAME": "test@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
        }
        with (
            # Which RabbitMQ would start otherwise, and leave behind.
            Server([str(shutil.which("epmd"))], lambda: answers(epmd_port), variables=variables),
            Server([str(PROGRAM)], lambda: answers(port), user=user, variables=variables) as server,
        ):
            yield f"amqp://guest@127.0.0.1:{port}//", server


def answers(port: int) -> bool:
    """Whether a port is listened on."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
