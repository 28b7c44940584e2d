"""The command as people run it, with a real process, a real HubSpot page and a real browser."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests
from click.testing import CliRunner

import browser
from browser import Browser
from tap_hubspot_email_events.connect import main
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with Browser() as window:
        yield window


class Connecting:
    """The command in a process of its own, whose `BROWSER` hands the address over to the test."""

    def __init__(
        self, hubspot: Sandbox, folder: Path, port: int, *options: str, **environment: str
    ) -> None:
        opener = folder / "browser"
        opener.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened\n', encoding="utf-8")
        opener.chmod(0o755)
        os.mkfifo(folder / "opened")
        # For both ways, because opening a pipe for reading alone would wait for the writer.
        self.opened = os.open(folder / "opened", os.O_RDWR)
        command = [
            *(sys.executable, "-c", "from tap_hubspot_email_events.connect import main; main()"),
            *("--port", str(port), "--timeout", str(TIMEOUT)),
            *("--authorize-url", f"{hubspot.hubspot_url}/oauth/authorize"),
            *("--api-url", hubspot.hubspot_url),
            *options,
        ]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "BROWSER": f"{opener} %s", **APP, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def address(self) -> str:
        """The address that the command opened in the browser."""
        ready, _, _ = select.select([self.opened], [], [], TIMEOUT)
        assert ready, "no browser was opened"
        return os.read(self.opened, 65536).decode().strip()

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        with self.process as process:
            out, err = process.communicate(timeout=TIMEOUT)
        os.close(self.opened)
        return process.returncode, out, err


def consent(address: str, decision: str = "grant", portal_id: str = "4711") -> requests.Response:
    """Decide on the consent page without a browser."""
    form = {"decision": decision, "portal_id": portal_id}
    return requests.post(address, data=form, timeout=TIMEOUT)


def refresh_token(text: str) -> str:
    found = re.search(rf"^{PREFIX}_REFRESH_TOKEN=(\S+)$", text, re.MULTILINE)
    assert found, text
    return found[1]


@needs_a_browser
def test_a_click_on_the_consent_page_connects_the_account(
    hubspot: Sandbox, tmp_path: Path, chromium: Browser, port: int
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"# mine\nKEPT=1\n{PREFIX}_REFRESH_TOKEN=old\nLAST=2\n", encoding="utf-8")
    connecting = Connecting(hubspot, tmp_path, port)

    chromium.open(connecting.address())
    assert "oauth content" in chromium.text()
    chromium.click("#connect")

    assert chromium.text("h1") == "Connected"
    assert "4711" in chromium.text()
    code, out, err = connecting.end()
    assert code == 0, err
    assert "Connected HubSpot account 4711 (STANDARD, app.hubspot.com)." in out
    text = dotenv.read_text(encoding="utf-8")
    token = refresh_token(text)
    assert text.replace(token, "old") == f"# mine\nKEPT=1\n{PREFIX}_REFRESH_TOKEN=old\nLAST=2\n"
    assert token not in out + err
    assert dotenv.stat().st_mode & 0o777 == 0o600
    # It is good for what it was asked for.
    tap = TapHubSpotEmailEvents(
        config={
            "api_url": hubspot.hubspot_url,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-client-secret",
            "refresh_token": token,
        }
    )
    tap.run.begin()
    assert tap.run.api.account.id == 4711


@needs_a_browser
def test_a_click_on_cancel_ends_with_a_sentence(
    hubspot: Sandbox, tmp_path: Path, chromium: Browser, port: int
) -> None:
    connecting = Connecting(hubspot, tmp_path, port)

    chromium.open(connecting.address())
    chromium.click("#deny")

    assert chromium.text("h1") == "Not connected"
    code, out, err = connecting.end()
    assert (code, out) == (1, "")
    assert "refused on the consent page" in err
    assert "Traceback" not in err
    assert not (tmp_path / ".env").exists()


def test_the_token_is_printed_where_asked_for_and_nothing_else(
    hubspot: Sandbox, tmp_path: Path, port: int
) -> None:
    connecting = Connecting(
        hubspot, tmp_path, port, "--print", "--scope", "crm.objects.contacts.read"
    )

    address = connecting.address()
    assert "scope=oauth+content+crm.objects.contacts.read&" in address
    assert consent(address, portal_id="4712").ok

    code, out, err = connecting.end()
    assert code == 0
    assert re.fullmatch(r"sandbox-refresh-\S+\n", out)
    assert "Connected HubSpot account 4712" in err
    assert not (tmp_path / ".env").exists()


def test_an_access_token_in_the_way_is_mentioned(
    hubspot: Sandbox, tmp_path: Path, port: int
) -> None:
    connecting = Connecting(hubspot, tmp_path, port, **{f"{PREFIX}_ACCESS_TOKEN": "private"})

    consent(connecting.address())

    code, out, _ = connecting.end()
    assert code == 0
    assert f"Remove {PREFIX}_ACCESS_TOKEN" in out


def test_a_wrong_secret_is_one_sentence_on_both_sides(
    hubspot: Sandbox, tmp_path: Path, port: int
) -> None:
    connecting = Connecting(hubspot, tmp_path, port, **{f"{PREFIX}_CLIENT_SECRET": "wrong-secret"})

    page = consent(connecting.address())

    code, _, err = connecting.end()
    assert code == 1
    sentence = err.splitlines()[-1]
    assert "client secret" in sentence
    assert "HTTP 401" in sentence
    assert "Traceback" not in err
    assert "wrong-secret" not in err + page.text
    assert sentence in page.text


def test_a_file_that_cannot_be_written_is_one_sentence_before_anything_is_asked(
    hubspot: Sandbox, tmp_path: Path, port: int
) -> None:
    connecting = Connecting(
        hubspot, tmp_path, port, "--env-file", str(tmp_path / "missing" / ".env")
    )

    code, _, err = connecting.end()
    assert code == 1
    assert "`--print`" in err.splitlines()[-1]
    assert "Open this address" not in err
    assert "Traceback" not in err


def run(options: Sequence[str], environment: dict[str, Any]) -> Result:
    known = {name: None for name in os.environ if name.startswith(PREFIX)}
    return CliRunner().invoke(main, options, env={**known, **environment})


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        ([], {}, f"{PREFIX}_CLIENT_ID"),
        (["--client-id", "x"], {}, f"{PREFIX}_CLIENT_SECRET"),
        (["--authorize-url", "http://example.com"], APP, "--authorize-url must be an https"),
        (["--api-url", "ftp://example.com"], APP, "--api-url must be an https"),
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
