"""A local S3: moto's server, in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from typing_extensions import Self

from interoperability.environment import OTHERS
from interoperability.postgres import free_port

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 30.0
BUCKET = "states"


class S3:
    """A server with one bucket, until the end of the `with`."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it, wait until it answers, and make the bucket."""
        port = self.url.rpartition(":")[2]
        self._server = subprocess.Popen(
            [str(OTHERS / "moto_server"), "-H", "127.0.0.1", "-p", port],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(urllib.error.URLError):
                bucket = urllib.request.Request(f"{self.url}/{BUCKET}", method="PUT")
                with urllib.request.urlopen(bucket, timeout=5):
                    return self
            time.sleep(0.1)
        raise TimeoutError("the local S3 does not answer")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait()

    @property
    def environment(self) -> dict[str, str]:
        """What makes Meltano keep its state here."""
        return {
            "MELTANO_STATE_BACKEND_URI": f"s3://{BUCKET}/email-events",
            "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": self.url,
            "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "nobody",
            "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
