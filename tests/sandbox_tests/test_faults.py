from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.client import Sandbox, SandboxError
from sandbox_tests.services import EVENTS, Services

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests


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


def test_limits_and_latency_of_the_command_line_outlive_a_reset() -> None:
    options = {"requests_per_10_seconds": 1, "latency_hubspot": 0.1, "events": 60}
    with Sandbox(**options) as sandbox:
        services = Services(sandbox)
        assert len(services.get(EVENTS, limit=100).json()["events"]) == 60
        sandbox.reset()
        started = time.monotonic()

        assert statuses(lambda: services.get(EVENTS), 2) == [200, 429]
        assert time.monotonic() - started >= 0.2
