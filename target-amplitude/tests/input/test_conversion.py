from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loading.messages import numbers, record, schema, state

if TYPE_CHECKING:
    import pytest

    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_foreign_streams_are_rejected_and_named_once(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    messages: list[Any] = [schema("invoices")]
    messages += [
        {"type": "RECORD", "stream": "invoices", "record": {"id": n, "name": "x"}}
        for n in range(30)
    ]
    loader.load([*messages, state(1)], max_rejected_percent=0)
    assert sandbox.amplitude_stats()["requests"] == 0
    assert numbers(loader.states) == [1]
    assert len(loader.rejected_records) == 30
    assert caplog.text.count("Stream invoices has no mapping") == 1


def test_half_a_character_anywhere_in_a_record_costs_that_record(
    sandbox: Sandbox, loader: Loader
) -> None:
    odd = "\ud800x"
    fields: list[dict[str, Any]] = [
        *({name: odd} for name in ("id", "type", "recipient", "portalId", "created")),
        *({name: odd} for name in ("subject", "userAgent", odd)),
        *({name: {odd: odd}} for name in ("browser", "location", "contact")),
    ]
    records = [record(number, **each) for number, each in enumerate(fields, 1)]
    loader.load([schema(), *records, record(99), state(1)], max_rejected_percent=100)
    assert sandbox.amplitude_counts() == {"[HubSpot] EMAIL_OPEN": 1}
    assert len(loader.rejected_records) == len(fields)
    assert numbers(loader.states) == [1]
