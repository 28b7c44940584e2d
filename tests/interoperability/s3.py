"""A local S3: moto's server, in a process of its own."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from interoperability.environment import OTHERS, free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "states"


@contextmanager
def running_s3() -> Iterator[dict[str, str]]:
    """Start a server with one bucket; gives what makes Meltano keep its state there."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"

    def makes_the_bucket() -> bool:
        bucket = urllib.request.Request(f"{url}/{BUCKET}", method="PUT")
        try:
            with urllib.request.urlopen(bucket, timeout=5):
                return True
        except urllib.error.URLError:
            return False

    with serving([str(OTHERS / "moto_server"), "-H", "127.0.0.1", "-p", port], makes_the_bucket):
        yield {
            "MELTANO_STATE_BACKEND_URI": f"s3://{BUCKET}/email-events",
            "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": url,
            "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "nobody",
            "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
