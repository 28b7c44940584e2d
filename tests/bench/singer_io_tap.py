"""Runs singer-io's tap-hubspot against another host; it has no setting for that.

Run by the Python of the environment that holds it. One window covers all of the history, so that
no request is spent on an empty day.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import tap_hubspot  # type: ignore[import-not-found]


def main(hubspot_url: str, start_date: str) -> None:
    """Write all email events as Singer messages to stdout."""
    folder = Path(tempfile.mkdtemp())
    config = {
        "start_date": start_date,
        "api_key": "sandbox-access-token",
        "email_chunk_size": 10_000 * 86_400_000,
    }
    stream = {
        "stream": "email_events",
        "tap_stream_id": "email_events",
        "schema": tap_hubspot.load_schema("email_events"),
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "catalog.json").write_text(json.dumps({"streams": [stream]}), encoding="utf-8")
    tap_hubspot.BASE_URL = hubspot_url
    sys.argv = ["tap-hubspot", "--config", str(folder / "config.json")]
    sys.argv += ["--properties", str(folder / "catalog.json")]
    tap_hubspot.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
