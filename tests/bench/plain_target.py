"""A plain singer-sdk target for the same events, as the SDK's tutorial would have it."""

from __future__ import annotations

import json
import time
from typing import Any

import requests
from singer_sdk import BatchSink, Target
from singer_sdk import typing as th
from typing_extensions import override

from bench.floor import map_event


class AmplitudeSink(BatchSink):
    """Posts 2,000 records at a time."""

    max_size = 2000

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        now_ms = int(time.time() * 1000)
        body = {
            "api_key": self.config["api_key"],
            "events": [map_event(_with_time_in_ms(row), now_ms) for row in context["records"]],
        }
        answer = requests.post(
            f"{self.config['api_url']}/batch",
            data=json.dumps(body, default=float),
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        answer.raise_for_status()


def _with_time_in_ms(record: dict[str, Any]) -> dict[str, Any]:
    created = record["created"]
    return record | {
        "created": created if isinstance(created, int) else int(created.timestamp() * 1000)
    }


class PlainTarget(Target):
    """One sink a stream."""

    name = "target-plain"
    default_sink_class = AmplitudeSink
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
    ).to_dict()


if __name__ == "__main__":
    PlainTarget.cli()
