from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import OPEN, numbers, run_of, schema
from target_amplitude.errors import RunFailedError

if TYPE_CHECKING:
    from loading.loader import Loader
    from sandbox.client import Sandbox


def sent_ids(sandbox: Sandbox) -> list[str]:
    return [event["event_properties"]["id"] for event in sandbox.amplitude_events()]


@pytest.mark.parametrize("index_style", ["all", "first"])
def test_named_events_are_rejected_and_the_rest_arrives(
    sandbox: Sandbox, loader: Loader, index_style: str
) -> None:
    sandbox.set_amplitude(index_style=index_style)
    messages = run_of(200)
    for number in (5, 6, 100, 200):
        messages[number]["record"]["recipient"] = f"u{number:03}"
    states = loader.load(messages, min_id_length=4)
    assert numbers(states) == [200]
    assert sandbox.amplitude_counts() == {OPEN: 200}
    sandbox.reset()
    loader.load(messages, min_id_length=5)
    assert sandbox.amplitude_counts() == {OPEN: 196}
    assert {r["record"]["id"] for r in loader.rejected_records} == {
        "event-5",
        "event-6",
        "event-100",
        "event-200",
    }


@pytest.mark.parametrize("index_style", ["all", "first"])
def test_events_only_amplitude_refuses_are_rejected(
    sandbox: Sandbox, loader: Loader, index_style: str
) -> None:
    sandbox.set_amplitude(index_style=index_style)
    for number in (3, 40):
        body = {
            "code": 400,
            "error": "Invalid field values on some events",
            "events_with_invalid_fields": {"time": [number]},
        }
        sandbox.add_fault("amplitude", action="answer", status=400, json=body, times=1)
    loader.load(run_of(100))
    assert sandbox.amplitude_counts() == {OPEN: 98}
    rejected = loader.rejected_records
    assert len(rejected) == 2
    assert rejected[0]["rejected"]["reason"] == "refused by Amplitude"
    assert rejected[0]["rejected"]["amplitude"] == "Invalid field values on some events"
    assert rejected[0]["rejected"]["detail"] == "invalid time"


def test_one_forbidden_event_is_found_among_many(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.set_amplitude(forbidden=["drop table"])
    messages = run_of(500)
    messages[123]["record"]["subject"] = "drop table users"
    states = loader.load(messages)
    assert numbers(states) == [500]
    assert sandbox.amplitude_counts() == {OPEN: 499}
    (rejected,) = loader.rejected_records
    assert rejected["record"] == messages[123]["record"]
    assert rejected["rejected"]["amplitude"] == "Forbidden"


def test_an_unexplained_400_is_found_by_halving(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault(
        "amplitude",
        action="answer",
        status=400,
        json={"code": 400, "error": "Invalid event JSON"},
        match={"contains": '"event-77"'},
    )
    loader.load(run_of(200))
    assert sandbox.amplitude_counts() == {OPEN: 199}
    assert [r["record"]["id"] for r in loader.rejected_records] == ["event-77"]


def test_when_every_event_is_refused_it_is_not_the_events(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault("amplitude", action="answer", status=403, json={"error": "Forbidden"})
    with pytest.raises(RunFailedError, match="refuses every event"):
        loader.load(run_of(500))
    assert loader.states == []


@pytest.mark.parametrize("events", [1, 3, 49, 500])
@pytest.mark.parametrize(
    "answer",
    [
        {"action": "answer", "status": 403, "json": {"error": "Forbidden"}},
        {"action": "answer", "status": 400, "body": "<html>Bad Request</html>"},
        {"action": "answer", "status": 400, "json": {"code": 400, "error": "Invalid request"}},
        {"action": "answer", "status": 404, "body": "<html>Not Found</html>"},
        {"action": "answer", "status": 405, "body": ""},
        {"action": "answer", "status": 413, "body": ""},
        {"action": "answer", "status": 302, "body": ""},
    ],
    ids=lambda answer: f"{answer['status']}-{answer.get('body', 'json')[:6]}",
)
def test_who_refuses_every_request_costs_no_event_and_moves_no_state(
    sandbox: Sandbox, loader: Loader, events: int, answer: dict[str, Any]
) -> None:
    sandbox.add_fault("amplitude", **answer)
    with pytest.raises(RunFailedError, match="api_url"):
        loader.load(run_of(events, state_every=2), max_rejected_percent=100)
    assert loader.states == []
    assert loader.rejects == []
    stream = loader.streams["email_open"]
    assert 0 < stream["not_covered"] == stream["read"] <= events
    assert loader.streams["email_open"]["rejected"] == {}


def test_the_first_event_may_be_the_bad_one(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.set_amplitude(forbidden=["drop table"])
    messages = run_of(4)
    messages[1]["record"]["subject"] = "drop table users"
    assert numbers(loader.load(messages, batch_size_rows=1)) == [4]
    assert sandbox.amplitude_counts() == {OPEN: 3}
    assert [r["record"]["id"] for r in loader.rejected_records] == ["event-1"]


def test_a_bad_event_alone_in_its_run_waits_for_a_good_one(
    sandbox: Sandbox, loader: Loader
) -> None:
    sandbox.set_amplitude(forbidden=["drop table"])
    messages = run_of(2)
    messages[1]["record"]["subject"] = "drop table users"
    with pytest.raises(RunFailedError, match="refuses every event"):
        loader.load([messages[0], messages[1], messages[-1]])
    assert loader.states == []
    assert numbers(loader.load(messages)) == [2]
    assert [r["record"]["id"] for r in loader.rejected_records] == ["event-1"]


def test_a_request_too_large_is_halved(sandbox: Sandbox, loader: Loader) -> None:
    messages = run_of(1500)
    for message in messages[1:-1]:
        message["record"] |= {f"field{i}": "x" * 1000 for i in range(10)}
    states = loader.load(messages, endpoint="httpapi")
    assert numbers(states) == [1500]
    assert sandbox.amplitude_counts() == {OPEN: 1500}
    assert 413 not in {r["status"] for r in sandbox.amplitude_requests()}


def test_a_smaller_limit_than_amplitudes_is_found_by_halving(
    sandbox: Sandbox, loader: Loader
) -> None:
    sandbox.add_fault("amplitude", action="answer", status=413, json={"code": 413}, times=3)
    loader.load(run_of(400))
    assert sandbox.amplitude_counts() == {OPEN: 400}


def test_a_lone_event_too_large_is_rejected(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault("amplitude", action="answer", status=413, match={"contains": '"event-9"'})
    loader.load(run_of(20))
    assert sandbox.amplitude_counts() == {OPEN: 19}
    assert [r["rejected"]["reason"] for r in loader.rejected_records] == ["too large"]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 520])
def test_passing_trouble_is_retried(sandbox: Sandbox, loader: Loader, status: int) -> None:
    sandbox.add_fault("amplitude", action="answer", status=status, times=3)
    assert numbers(loader.load(run_of(50))) == [50]
    assert sandbox.amplitude_counts() == {OPEN: 50}
    assert loader.streams["email_open"]["retried"] == 150


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "cut"},
        {"action": "half_body"},
        {"action": "accept_then_cut"},
        {"action": "accept_then_answer", "status": 500},
        {"action": "html"},
        {"action": "answer", "status": 200, "body": ""},
        {"action": "answer", "status": 200, "json": {"code": 500}},
        {"action": "answer", "status": 204},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_what_is_no_confirmation_is_sent_again_and_not_doubled(
    sandbox: Sandbox, loader: Loader, fault: dict[str, Any]
) -> None:
    sandbox.add_fault("amplitude", times=2, **fault)
    assert numbers(loader.load(run_of(50))) == [50]
    assert sorted(sent_ids(sandbox)) == sorted(f"event-{n}" for n in range(1, 51))


@pytest.mark.parametrize("fault", [{"action": "cut"}, {"action": "answer", "status": 503}])
def test_after_the_last_retry_the_run_fails_with_a_true_state(
    sandbox: Sandbox, loader: Loader, fault: dict[str, Any]
) -> None:
    sandbox.add_fault("amplitude", match={"contains": '"event-150"'}, **fault)
    with pytest.raises(RunFailedError, match="goes on from the last state"):
        loader.load(
            run_of(200, state_every=10),
            batch_size_rows=10,
            max_retries=2,
            max_concurrent_requests=1,
        )
    assert numbers(loader.states)[-1] <= 140
    assert numbers(loader.states) == sorted(numbers(loader.states))
    covered = {f"event-{number}" for number in range(1, numbers(loader.states)[-1] + 1)}
    assert covered <= set(sent_ids(sandbox))


def test_a_wrong_key_ends_the_run_without_state(
    loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RunFailedError, match="region") as failure:
        loader.load(run_of(50), api_key="wrong-key-of-somebody")
    assert loader.states == []
    written = caplog.text + str(failure.value) + loader.job_log_path.read_text()
    assert "wrong-key-of-somebody" not in written


def test_a_missing_request_field_ends_the_run(sandbox: Sandbox, loader: Loader) -> None:
    body = {"code": 400, "error": "Request missing required field", "missing_field": "events"}
    sandbox.add_fault("amplitude", action="answer", status=400, json=body)
    with pytest.raises(RunFailedError, match="misses events"):
        loader.load(run_of(5))
    assert loader.states == []


def test_a_throttled_user_waits_while_others_go_on(sandbox: Sandbox, loader: Loader) -> None:
    body = {
        "code": 429,
        "error": "Too many requests for some devices and users",
        "eps_threshold": 30,
        "throttled_users": {"user-3@example.com": 31},
    }
    sandbox.add_fault("amplitude", action="answer", status=429, json=body, times=1)
    assert numbers(loader.load(run_of(200))) == [200]
    events = sandbox.amplitude_events()
    assert len(events) == 200
    throttled = [event["user_id"] == "user-3@example.com" for event in events]
    assert not any(throttled[:196])
    order = [e["time"] for e in events if e["user_id"] == "user-3@example.com"]
    assert order == sorted(order)


def test_a_user_throttled_for_good_fails_the_run_with_a_true_state(
    sandbox: Sandbox, loader: Loader
) -> None:
    sandbox.throttle("user-3@example.com", seconds=600)
    with pytest.raises(RunFailedError, match="throttles 1 user"):
        loader.load(run_of(200, state_every=1), max_retries=3)
    assert sandbox.amplitude_counts() == {OPEN: 196}
    assert numbers(loader.states)[-1:] in ([], [2])


def test_a_429_that_names_nobody_waits_and_retries(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.add_fault(
        "amplitude", action="answer", status=429, times=2, headers={"Retry-After": "0"}
    )
    assert numbers(loader.load(run_of(20))) == [20]


def test_an_exhausted_quota_ends_the_run_cleanly(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.use_up_quota("user-7@example.com")
    states = loader.load(run_of(500, state_every=1), batch_size_rows=50)
    assert sandbox.amplitude_counts() == {OPEN: 490}
    assert numbers(states)[-1] == 6
    assert "quota" in caplog.text
    assert "user-7" not in caplog.text
    assert loader.streams["email_open"]["not_covered"] == 10


def test_fewer_ingested_than_sent_is_warned_of(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.add_fault("amplitude", action="ingest_fewer", fewer=3)
    loader.load(run_of(50))
    assert "confirmed 47 of the 50 events" in caplog.text


def test_a_silenced_devices_events_are_rejected(sandbox: Sandbox, loader: Loader) -> None:
    sandbox.set_amplitude(silenced_devices=["noisy-device"])
    messages: list[Any] = [schema("orders")]
    for number in range(20):
        device = "noisy-device" if number % 5 == 0 else f"device-{number}"
        event = {"event_type": "x", "device_id": device, "insert_id": str(number), "id": number}
        messages.append({"type": "RECORD", "stream": "orders", "record": event})
    loader.load(messages)
    assert sandbox.amplitude_counts() == {"x": 16}
    assert len(loader.rejected_records) == 4


def test_a_429_that_names_strangers_waits_and_retries(sandbox: Sandbox, loader: Loader) -> None:
    body = {"code": 429, "throttled_devices": {"a-hash-of-somebody": 31}}
    sandbox.add_fault("amplitude", action="answer", status=429, json=body, times=2)
    assert numbers(loader.load(run_of(20))) == [20]
    assert sandbox.amplitude_stats()["requests"] == 3
