"""What Amplitude refuses is rejected alone, and a refusal of everything rejects nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loading.messages import OPEN, numbers, run_of
from loading.scene import HALVE, Scene, answer
from target_amplitude.errors import RefusedKeyError, RunFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from loading.loader import Loader
    from sandbox.client import Sandbox


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


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


def test_no_request_is_larger_than_the_endpoint_takes(sandbox: Sandbox, loader: Loader) -> None:
    messages = run_of(1500)
    for message in messages[1:-1]:
        message["record"] |= {f"field{i}": "x" * 1000 for i in range(10)}
    states = loader.load(messages, endpoint="httpapi")
    assert numbers(states) == [1500]
    assert sandbox.amplitude_counts() == {OPEN: 1500}
    assert 413 not in {r["status"] for r in sandbox.amplitude_requests()}


def test_fewer_ingested_than_sent_is_warned_of(
    sandbox: Sandbox, loader: Loader, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.add_fault("amplitude", action="ingest_fewer", fewer=3)
    loader.load(run_of(50))
    assert "confirmed 47 of the 50 events" in caplog.text


def test_of_a_request_too_large_the_first_half_goes_first(scene: Scene) -> None:
    assert scene.deliver("abcde", HALVE, HALVE) == ["abcde", "ab", "a", "b", "cde"]
    assert scene.counts.delivered == 5
    assert scene.counts.retried == 7


def test_a_refused_key_is_told_with_what_to_check(scene: Scene) -> None:
    with pytest.raises(RefusedKeyError) as caught:
        scene.deliver("ab", answer(400, error="Invalid API key: k"))
    assert str(caught.value) == (
        "api2.amplitude.com does not know this API key (Invalid API key); check api_key, and "
        "region: a key of an EU project is unknown in the US, and the other way round."
    )
    assert scene.sent == ["ab"]


def test_what_takes_no_events_is_told_as_such(scene: Scene) -> None:
    with pytest.raises(RunFailedError) as caught:
        scene.deliver("ab", answer(404))
    assert type(caught.value) is RunFailedError
    assert str(caught.value) == ("api2.amplitude.com takes no events (status 404); check api_url.")


def test_fifty_refused_alone_may_be_the_events_but_no_more(scene: Scene) -> None:
    refused = answer(403, error="Forbidden")
    for _ in range(50):
        scene.deliver("a", refused)
    with pytest.raises(RunFailedError) as caught:
        scene.deliver("a", refused)
    assert str(caught.value) == (
        "api2.amplitude.com refuses every event (Forbidden), so none of them is taken for a bad "
        "one and no state covers them; check api_url, and whether a proxy or firewall stands "
        "between."
    )
    assert scene.rejects.read_bytes() == b""
