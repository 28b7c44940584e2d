"""What the README shows is what the target does."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
MOMENT = 1_760_000_000_000


def stream_maps() -> Any:
    block = re.search(r"^ +stream_maps:\n(?: +.*\n)+", README, re.MULTILINE)
    assert block is not None
    return yaml.safe_load(dedent(block[0]))["stream_maps"]


@pytest.mark.parametrize("customer", [4711, "customer-4711"])
def test_the_stream_map_makes_events_of_orders(
    sandbox: Sandbox, loader: Loader, customer: Any
) -> None:
    names = ("id", "customer_id", "created_ms", "total", "currency", "price", "note")
    record = dict(zip(names, (7, customer, MOMENT, 19.9, "EUR", 5, "fast"), strict=True))
    schema = {"type": "object", "properties": {name: {} for name in names}}
    loader.load(
        [
            {"type": "SCHEMA", "stream": "orders", "schema": schema, "key_properties": ["id"]},
            {"type": "RECORD", "stream": "orders", "record": record},
        ],
        stream_maps=stream_maps(),
        min_id_length=1,
    )
    (event,) = sandbox.amplitude_events()
    assert event["event_type"] == "Order Placed"
    assert event["user_id"] == str(customer)
    assert (event["time"], event["insert_id"]) == (MOMENT, "order-7")
    assert event["event_properties"] == {"total": 19.9, "currency": "EUR"}
    assert "price" not in event
    assert loader.rejects == []
