"""A local S3: moto, in a process and an environment of its own, behind a server that can refuse."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from interoperability.environment import OTHERS, Server, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "states"


APPLICATION = """
import sys
from pathlib import Path
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

moto = DomainDispatcherApplication(create_backend_app)

def application(request, start):
    if not Path(sys.argv[2]).exists():
        return moto(request, start)
    start("503 Slow Down", [("Content-Length", "0")])
    return []

run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)
"""


@contextmanager
def running_s3(refuses: Path) -> Iterator[dict[str, str]]:
    """Start a server with one bucket, which answers 503 while there is a file `refuses`.

    Gives what makes Meltano keep its state there.
    """
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"

    def makes_the_bucket() -> bool:
        bucket = urllib.request.Request(f"{url}/{BUCKET}", method="PUT")
        try:
            with urllib.request.urlopen(bucket, timeout=5):
                return True
        except urllib.error.URLError:
            return False

    command = [str(OTHERS / "python"), "-c", APPLICATION, port, str(refuses)]
    with Server(command, makes_the_bucket):
        yield {
            "MELTANO_STATE_BACKEND_URI": f"s3://{BUCKET}/email-events",
            "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": url,
            "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "nobody",
            "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
