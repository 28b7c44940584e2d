from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

from tap_hubspot_email_events.connect.consent import ConsentListener
from tap_hubspot_email_events.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable

STATE = "the-right-state"
TIMEOUT = 10


class Visited(ConsentListener):
    """A listener on a free port, and a browser's visits to it."""

    def __init__(self, redeem: Callable[[str], str] = "{}.".format) -> None:
        super().__init__(0, STATE, redeem)

    def get(
        self, path: str = "/callback", host: str | None = None, **query: str
    ) -> requests.Response:
        address = f"http://127.0.0.1:{self.server_port}{path}"
        return requests.get(address, params=query, headers={"Host": host}, timeout=TIMEOUT)


def test_a_code_is_redeemed_and_the_page_says_what_came_of_it() -> None:
    codes: list[str] = []

    def redeem(code: str) -> str:
        codes.append(code)
        return "Connected <4711>."

    with Visited(redeem) as listener:
        page = listener.get(state=STATE, code="abc")
        # More than Python can wait.
        listener.wait(1e300)

    assert codes == ["abc"]
    assert page.status_code == 200
    assert "Connected &lt;4711&gt;." in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_wrong_visits_are_turned_away_and_the_wait_goes_on() -> None:
    with Visited() as listener, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listener.wait, TIMEOUT)

        assert listener.get("/favicon.ico").status_code == 404
        assert listener.get("/callback", code="abc").status_code == 400
        assert listener.get("/callback", code="abc", state="täuschung").status_code == 400
        assert listener.get("/callback", error="access_denied").status_code == 400
        assert not waiting.done()

        assert listener.get(state=STATE, code="abc").status_code == 200
        waiting.result(TIMEOUT)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("localhost", 200),
        ("attacker.example:{port}", 421),
        ("localhost:1", 421),
        ("localhost:{port}@attacker.example", 421),
        ("", 421),
    ],
)
def test_only_a_name_of_this_machine_leads_here(host: str, status: int) -> None:
    with Visited() as listener:
        page = listener.get(host=host.format(port=listener.server_port), state=STATE, code="abc")
    assert page.status_code == status


def test_a_connection_that_stays_silent_keeps_nobody_out() -> None:
    with Visited() as listener, socket.create_connection(("127.0.0.1", listener.server_port)):
        assert listener.get(state=STATE, code="abc").status_code == 200
        listener.wait(TIMEOUT)


def test_the_way_back_works_once() -> None:
    with Visited() as listener:
        first = listener.get(state=STATE, code="abc")
        again = listener.get(state=STATE, code="def")

    assert "abc" in first.text
    assert "def" not in again.text
    assert again.status_code == 409


def test_a_refusal_ends_the_wait_with_a_sentence() -> None:
    with Visited() as listener:
        page = listener.get(state=STATE, error="access_denied", error_description="<b>no</b>")
        with pytest.raises(TapError, match="refused on the consent page"):
            listener.wait(TIMEOUT)

    assert "Not connected" in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize("seconds", [-5.0, 0.0, float("nan")])
def test_no_time_is_no_wait(seconds: float) -> None:
    with Visited() as listener, pytest.raises(TapError, match="within 0 seconds"):
        listener.wait(seconds)


@pytest.mark.parametrize("error", [TapError("The code is too old."), ZeroDivisionError()])
def test_a_failure_to_redeem_is_told_to_both_sides(error: Exception) -> None:
    def redeem(_: str) -> str:
        raise error

    with Visited(redeem) as listener:
        page = listener.get(state=STATE, code="abc")
        with pytest.raises(type(error)):
            listener.wait(TIMEOUT)

    assert "Not connected" in page.text
    assert str(error) in page.text


def test_a_port_in_use_is_one_sentence() -> None:
    with Visited() as first:
        port = first.server_port
        with pytest.raises(TapError, match=rf"Port {port} .* `--port`"):
            ConsentListener(port, STATE, str)
