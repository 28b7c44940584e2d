from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tap_hubspot_email_events.connect.consent import (
    ConsentListener,
    consent_address,
    redirect_address,
)
from tap_hubspot_email_events.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable

STATE = "the-right-state"
TIMEOUT = 10


class Visit:
    """A listener on a free port, and a browser's visits to it."""

    def __init__(self, port: int, redeem: Callable[[str], str]) -> None:
        self.port = port
        self.listener = ConsentListener(self.port, STATE, redeem)

    def get(self, path: str = "/callback", **query: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", params=query, timeout=TIMEOUT)


def test_a_code_is_redeemed_and_the_page_says_what_came_of_it(port: int) -> None:
    codes: list[str] = []

    def redeem(code: str) -> str:
        codes.append(code)
        return "Connected <4711>."

    visit = Visit(port, redeem)
    with visit.listener:
        page = visit.get(state=STATE, code="abc")
        visit.listener.wait(TIMEOUT)

    assert codes == ["abc"]
    assert page.status_code == 200
    assert "Connected &lt;4711&gt;." in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_wrong_visits_are_turned_away_and_the_wait_goes_on(port: int) -> None:
    visit = Visit(port, lambda code: f"{code}.")
    with visit.listener, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(visit.listener.wait, TIMEOUT)

        assert visit.get("/favicon.ico").status_code == 404
        assert visit.get("/callback", code="abc").status_code == 400
        assert visit.get("/callback", code="abc", state="täuschung").status_code == 400
        assert visit.get("/callback", error="access_denied").status_code == 400
        assert not waiting.done()

        assert visit.get(state=STATE, code="abc").status_code == 200
        waiting.result(TIMEOUT)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("attacker.example:{port}", 421),
        ("localhost", 200),
        ("localhost:1", 421),
        ("localhost:{port}@attacker.example", 421),
        ("", 421),
    ],
)
def test_only_a_name_of_this_machine_leads_here(port: int, host: str, status: int) -> None:
    visit = Visit(port, lambda code: f"{code}.")
    with visit.listener:
        page = requests.get(
            f"http://127.0.0.1:{port}/callback",
            params={"state": STATE, "code": "abc"},
            headers={"Host": host.format(port=port)},
            timeout=TIMEOUT,
        )
    assert page.status_code == status


def test_a_connection_that_stays_silent_keeps_nobody_out(port: int) -> None:
    visit = Visit(port, lambda code: f"{code}.")
    with visit.listener, socket.create_connection(("127.0.0.1", visit.port)):
        assert visit.get(state=STATE, code="abc").status_code == 200
        visit.listener.wait(TIMEOUT)


def test_the_way_back_works_once(port: int) -> None:
    visit = Visit(port, lambda code: f"{code}.")
    with visit.listener:
        first = visit.get(state=STATE, code="abc")
        again = visit.get(state=STATE, code="def")

    assert "abc" in first.text
    assert "def" not in again.text
    assert again.status_code == 409


def test_a_refusal_ends_the_wait_with_a_sentence(port: int) -> None:
    visit = Visit(port, lambda code: f"{code}.")
    with visit.listener:
        page = visit.get(state=STATE, error="access_denied", error_description="<b>no</b>")
        with pytest.raises(TapError, match="refused on the consent page"):
            visit.listener.wait(TIMEOUT)

    assert "Not connected" in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize("seconds", [-5.0, 0.0, float("nan")])
def test_no_time_is_no_wait(seconds: float, port: int) -> None:
    visit = Visit(port, lambda code: f"{code}.")
    with visit.listener, pytest.raises(TapError, match="within 0 seconds"):
        visit.listener.wait(seconds)


def test_more_time_than_python_can_wait_is_no_failure(port: int) -> None:
    visit = Visit(port, lambda code: f"{code}.")
    with visit.listener:
        visit.get(state=STATE, code="abc")
        visit.listener.wait(1e300)


@pytest.mark.parametrize("error", [TapError("The code is too old."), ZeroDivisionError()])
def test_a_failure_to_redeem_is_told_to_both_sides(error: Exception, port: int) -> None:
    def redeem(_: str) -> str:
        raise error

    visit = Visit(port, redeem)
    with visit.listener:
        page = visit.get(state=STATE, code="abc")
        with pytest.raises(type(error)):
            visit.listener.wait(TIMEOUT)

    assert "Not connected" in page.text
    assert str(error) in page.text


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(TapError, match=rf"Port {port} .* `--port`"):
            ConsentListener(port, STATE, lambda code: f"{code}.")


def test_the_consent_page_is_query_with_the_registered_address() -> None:
    address = consent_address(
        "https://app.hubspot.com/oauth/authorize",
        client_id="a b",
        redirect_uri=redirect_address(8723),
        scopes=["oauth", "content"],
        state=STATE,
        verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    )

    parts = urlsplit(address)
    assert parts.netloc == "app.hubspot.com"
    assert parse_qs(parts.query) == {
        "client_id": ["a b"],
        "redirect_uri": ["http://localhost:8723/callback"],
        "scope": ["oauth content"],
        "state": [STATE],
        # RFC 7636's own example.
        "code_challenge": ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
        "code_challenge_method": ["S256"],
    }
