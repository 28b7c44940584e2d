"""The command as people run it, with a page of HubSpot's and a real browser."""

from __future__ import annotations

import os
import re
import socket
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest
import requests
from click.testing import CliRunner

import browser
from browser import Browser
from tap_hubspot_email_events.connect import main
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from click.testing import Result

    from sandbox.client import Sandbox

PREFIX = "TAP_HUBSPOT_EMAIL_EVENTS"
APP = {
    f"{PREFIX}_CLIENT_ID": "sandbox-client",
    f"{PREFIX}_CLIENT_SECRET": "sandbox-client-secret",
}
TIMEOUT = 60

needs_a_browser = pytest.mark.skipif(
    bool(browser.missing()), reason=f"needs a real browser: {browser.missing()} not installed"
)


def run(options: Sequence[str], environment: dict[str, Any]) -> Result:
    known = {name: None for name in os.environ if name.startswith(PREFIX)}
    return CliRunner().invoke(main, options, env={**known, **environment})


@pytest.fixture
def port() -> int:
    """A free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


class Connecting:
    """The command beside a person who decides on the page that it opens in the browser."""

    def __init__(self, hubspot: Sandbox, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hubspot_url = hubspot.hubspot_url
        self._port = port
        self._monkeypatch = monkeypatch

    def __call__(
        self, decide: Callable[[str], str], *options: str, **environment: str
    ) -> tuple[Result, str]:
        """What becomes of it, and the last page that the person saw."""
        pages: SimpleQueue[str] = SimpleQueue()
        self._monkeypatch.setattr("webbrowser.open", lambda address: pages.put(decide(address)))
        result = run(
            [
                *("--port", str(self._port), "--timeout", str(TIMEOUT)),
                *("--authorize-url", f"{self.hubspot_url}/oauth/authorize"),
                *("--api-url", self.hubspot_url, *options),
            ],
            APP | environment,
        )
        return result, pages.get(timeout=TIMEOUT)


@pytest.fixture
def connecting(
    hubspot: Sandbox, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Connecting:
    monkeypatch.chdir(tmp_path)
    return Connecting(hubspot, port, monkeypatch)


def consent(address: str, portal_id: str = "4711") -> str:
    """Consent without a browser."""
    form = {"decision": "grant", "portal_id": portal_id}
    return requests.post(address, data=form, timeout=TIMEOUT).text


def click(address: str) -> str:
    with Browser() as chromium:
        chromium.open(address)
        assert "oauth content" in chromium.text()
        chromium.click("#connect")
        return chromium.text()


@pytest.mark.parametrize("decide", [consent, pytest.param(click, marks=needs_a_browser)])
def test_consent_connects_the_account(
    connecting: Connecting, tmp_path: Path, decide: Callable[[str], str]
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"# mine\nKEPT=1\n{PREFIX}_REFRESH_TOKEN=old\nLAST=2\n", encoding="utf-8")

    result, page = connecting(decide, **{f"{PREFIX}_ACCESS_TOKEN": "private"})

    assert result.exit_code == 0, result.stderr
    assert "Connected HubSpot account 4711 (STANDARD, app.hubspot.com)." in result.stdout
    assert f"Remove {PREFIX}_ACCESS_TOKEN" in result.stdout
    assert "4711" in page
    text = dotenv.read_text(encoding="utf-8")
    found = re.search(rf"^{PREFIX}_REFRESH_TOKEN=(\S+)$", text, re.MULTILINE)
    assert found, text
    token = found[1]
    assert text.replace(token, "old") == f"# mine\nKEPT=1\n{PREFIX}_REFRESH_TOKEN=old\nLAST=2\n"
    assert token not in result.output + page
    assert dotenv.stat().st_mode & 0o777 == 0o600
    # It is good for what it was asked for.
    tap = TapHubSpotEmailEvents(
        config={
            "api_url": connecting.hubspot_url,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-client-secret",
            "refresh_token": token,
        }
    )
    tap.run.begin()
    assert tap.run.api.account.id == 4711


def test_the_token_is_printed_where_asked_for_and_nothing_else(
    connecting: Connecting, tmp_path: Path
) -> None:
    result, _ = connecting(
        partial(consent, portal_id="4712"), "--print", "--scope", "crm.objects.contacts.read"
    )

    assert result.exit_code == 0
    assert "scope=oauth+content+crm.objects.contacts.read&" in result.stderr
    assert re.search(r"code_challenge=[\w-]{43}&code_challenge_method=S256", result.stderr)
    assert re.fullmatch(r"sandbox-refresh-\S+\n", result.stdout)
    assert "Connected HubSpot account 4712" in result.stderr
    assert not (tmp_path / ".env").exists()


def test_a_wrong_secret_is_one_sentence_on_both_sides(
    connecting: Connecting, tmp_path: Path
) -> None:
    result, page = connecting(consent, **{f"{PREFIX}_CLIENT_SECRET": "wrong-secret"})

    assert result.exit_code == 1
    sentence = result.stderr.splitlines()[-1]
    assert "client secret" in sentence
    assert "HTTP 401" in sentence
    assert "wrong-secret" not in result.output + page
    assert sentence in page
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        ([], {}, f"{PREFIX}_CLIENT_ID"),
        (["--client-id", "x"], {}, f"{PREFIX}_CLIENT_SECRET"),
        (["--authorize-url", "http://example.com"], APP, "--authorize-url must be an https"),
        (["--api-url", "ftp://example.com"], APP, "--api-url must be an https"),
        (["--env-file", "missing/.env"], APP, "`--print`"),
        (["--no-browser", "--timeout", "0.01"], APP, "within 0.01 seconds"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(
    options: list[str], environment: dict[str, str], said: str, port: int
) -> None:
    result = run([*options, "--port", str(port)], environment)

    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]
    assert result.stdout == ""
    assert ("Open this address" in result.stderr) is ("--no-browser" in options)
