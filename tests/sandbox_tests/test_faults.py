from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.client import Sandbox, SandboxError
from sandbox_tests.services import EVENTS, Services, amplitude_event, hubspot_event

if TYPE_CHECKING:
    from collections.abc import Callable


def statuses(ask: Callable[[], requests.Response], times: int) -> list[int]:
    return [ask().status_code for _ in range(times)]


def test_probability_follows_the_seed(services: Services, sandbox: Sandbox) -> None:
    def draw() -> list[int]:
        sandbox.reset()
        sandbox.add_fault("hubspot", action="answer", status=502, probability=0.5)
        return statuses(lambda: services.get(EVENTS), 20)

    first = draw()

    assert set(first) == {200, 502}
    assert draw() == first


def test_a_match_looks_at_query_and_json(services: Services, sandbox: Sandbox) -> None:
    sandbox.add_fault(
        "hubspot", action="answer", path=EVENTS, match={"query": {"eventType": "OPEN"}}
    )
    sandbox.add_fault(
        "amplitude",
        action="answer",
        status=400,
        match={"json": {"events.*.user_id": "person2@example.com"}},
    )

    assert services.get(EVENTS, eventType="OPEN").status_code == 500
    assert services.get(EVENTS, eventType="CLICK").status_code == 200
    assert services.upload([amplitude_event(1), amplitude_event(2)]).status_code == 400
    assert services.upload([amplitude_event(1)]).status_code == 200


def test_a_cut_connection_has_no_answer(services: Services, sandbox: Sandbox) -> None:
    sandbox.add_fault("hubspot", action="cut", times=1)

    with pytest.raises(requests.ConnectionError):
        services.get(EVENTS)
    assert services.get(EVENTS).status_code == 200
    assert [entry["status"] for entry in sandbox.hubspot_requests()] == [0, 200]


def test_half_a_body_ends_before_its_length(services: Services, sandbox: Sandbox) -> None:
    sandbox.add_events([hubspot_event(n, 1_760_000_000_000) for n in range(900)])
    sandbox.add_fault("hubspot", action="half_body", times=1)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        services.get(EVENTS, limit=1000)
    assert len(services.get(EVENTS, limit=1000).json()["events"]) == 900


@pytest.mark.parametrize("action", ["delay", "slow_body"])
def test_slow_answers_are_whole(services: Services, sandbox: Sandbox, action: str) -> None:
    sandbox.add_fault("hubspot", action=action, seconds=0.2, times=1)
    started = time.monotonic()

    answer = services.get(EVENTS)

    assert answer.json()["events"] == []
    assert time.monotonic() - started >= 0.2


def test_a_page_for_people_comes_with_status_200(services: Services, sandbox: Sandbox) -> None:
    sandbox.add_fault("hubspot", action="html")

    answer = services.get(EVENTS)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("action", "accepted"),
    [("cut", 0), ("accept_then_cut", 1), ("answer", 0), ("accept_then_answer", 1)],
)
def test_an_upload_can_be_lost_before_or_after_it_was_accepted(
    services: Services, sandbox: Sandbox, action: str, accepted: int
) -> None:
    sandbox.add_fault("amplitude", action=action, times=1)
    try:
        assert services.upload([amplitude_event()]).status_code == 500
    except requests.ConnectionError:
        assert action.endswith("cut")
    assert len(sandbox.amplitude_events()) == accepted

    assert services.upload([amplitude_event()]).status_code == 200
    assert sandbox.amplitude_stats()["events_kept"] == 1
    assert sandbox.amplitude_stats()["duplicates"] == accepted


def test_an_upload_whose_client_goes_away_midway_is_not_taken(sandbox: Sandbox) -> None:
    host, port = sandbox.amplitude_url.removeprefix("http://").split(":")
    head = b"POST /batch HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head + b'{"api_key":')

    deadline = time.monotonic() + 5
    while not sandbox.amplitude_requests() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert [entry["status"] for entry in sandbox.amplitude_requests()] == [0]


@pytest.mark.parametrize(
    "fault", [{"action": "explode"}, {"action": "cut", "often": True}, {"times": 1}]
)
def test_a_fault_that_is_not_understood_is_told(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    with pytest.raises(SandboxError):
        sandbox.add_fault("hubspot", **fault)


def test_faults_limits_and_latency_come_from_the_command_line_and_outlive_a_reset() -> None:
    options = {
        "fault": [{"service": "amplitude", "action": "answer", "status": 503}],
        "requests_per_10_seconds": 1,
        "latency_hubspot": 0.1,
        "events": 60,
    }
    with Sandbox(**options) as sandbox, requests.Session() as session:
        services = Services(sandbox, session)
        started = time.monotonic()
        page = services.get(EVENTS, limit=100).json()

        assert time.monotonic() - started >= 0.1
        assert len(page["events"]) == 60
        assert services.get(EVENTS).status_code == 429
        assert services.upload([amplitude_event()]).status_code == 503
        sandbox.reset()
        assert services.upload([amplitude_event()]).status_code == 503
        sandbox.clear_faults()
        assert services.upload([amplitude_event()]).status_code == 200
