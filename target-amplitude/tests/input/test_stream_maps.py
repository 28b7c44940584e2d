from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loading.messages import numbers, schema, state

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_a_stream_map_turns_any_record_into_an_event(sandbox: Sandbox, loader: Loader) -> None:
    maps = {
        "orders": {
            "event_type": "'Order Placed'",
            "user_id": "customer",
            "id": "id",
            "insert_id": "str(id)",
            "__filter__": "total > 10",
            "__else__": None,
        },
    }
    messages: list[Any] = [schema("orders")]
    for number in range(10):
        fields = {"id": number, "customer": "customer-1", "total": number * 3}
        messages.append({"type": "RECORD", "stream": "orders", "record": fields})
    loader.load([*messages, state(3)], stream_maps=maps)
    assert sandbox.amplitude_counts() == {"Order Placed": 6}
    assert loader.streams["orders"]["skipped"] == 4
    assert numbers(loader.states) == [3]
