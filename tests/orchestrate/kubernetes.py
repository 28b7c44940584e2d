"""A Kubernetes API that knows jobs only, and runs the container of each as a process."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from typing_extensions import Self, override

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Cluster:
    """Takes jobs as long as it is entered."""

    def __init__(self, log: Path, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self._log = log
        self._secrets = secrets
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                cluster.start(job := json.loads(body))
                self.answer(job)

            def do_GET(self) -> None:
                name = self.path.removesuffix("/status").rpartition("/")[2]
                self.answer(cluster.job(name))

            def answer(self, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        for process in self._processes.values():
            process.wait(60)

    def start(self, job: dict[str, Any]) -> None:
        """Run the one container of a job's pod, in nothing but the environment that it asks for."""
        name = job["metadata"]["name"]
        (container,) = job["spec"]["template"]["spec"]["containers"]
        environment = {"PATH": "/usr/bin:/bin", "POD_NAME": name}
        for source in container["envFrom"]:
            environment |= self._secrets[source["secretRef"]["name"]]
        environment |= {each["name"]: each["value"] for each in container["env"] if "value" in each}
        self.jobs[name] = job
        with self._log.open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*container["command"], *container["args"]],
                env=environment,
                cwd=self._log.parent,
                stdout=log,
                stderr=log,
            )

    def job(self, name: str) -> dict[str, Any]:
        """A job, with how its pod ended."""
        code = self._processes[name].poll()
        status = {"active": 1} if code is None else {"failed": 1} if code else {"succeeded": 1}
        return self.jobs[name] | {"status": status}
