from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loading.messages import email, numbers, record, schema, state

if TYPE_CHECKING:
    import pytest

    from loading.loader import Loader
    from sandbox.client import Sandbox


def test_amplitude_events_go_as_they_are(sandbox: Sandbox, loader: Loader) -> None:
    event = {
        "event_type": "Order Placed",
        "user_id": "customer-1",
        "time": 1_790_000_000_000,
        "insert_id": "order-1",
        "event_properties": {"total": 1.5, "tags": ["a"]},
        "user_properties": {"plan": "pro"},
    }
    loader.load([schema("orders", ()), {"type": "RECORD", "stream": "orders", "record": event}])
    (arrived,) = sandbox.amplitude_events()
    assert {key: arrived[key] for key in event} == event


def test_another_taps_single_stream_arrives(sandbox: Sandbox, loader: Loader) -> None:
    messages = [schema("email_events")]
    for number, kind in enumerate(["SENT", "OPEN", "STATUSCHANGE", "SPAMREPORT"]):
        body = email(number, type=kind, created=1_790_000_000_000 + number)
        messages.append({"type": "RECORD", "stream": "email_events", "record": body})
    loader.load(messages)
    assert set(sandbox.amplitude_counts()) == {
        "[HubSpot] EMAIL_SENT",
        "[HubSpot] EMAIL_OPEN",
        "[HubSpot] EMAIL_STATUS_CHANGE",
        "[HubSpot] EMAIL_SPAM_REPORT",
    }


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
