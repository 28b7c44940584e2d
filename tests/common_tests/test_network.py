"""What is wrong with this machine's proxies and certificates is said at once, in every command."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import requests
import urllib3

from hostile.runner import run
from hostile.server import CLOSE, Server, answer
from loading.messages import record, schema
from target_amplitude.common.network import (
    FAILURES,
    Obstacle,
    explain,
    proxies_and_certificates,
)
from target_amplitude.common.session import Session, UnansweredError

if TYPE_CHECKING:
    from pathlib import Path

HOST = "api.email-events.example"
URL = f"https://{HOST}/batch"
SECRET = "pr0xy-s3cret"
VARIABLES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"
EVENT = (schema(), record(1))
CAMPAIGN = (
    schema("email_campaigns"),
    {
        "type": "RECORD",
        "stream": "email_campaigns",
        "record": {"id": 1, "portalId": 4711, "name": "Newsletter", "subject": "May"},
    },
)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable says something about the network, but for those that a test sets."""
    for name in list(os.environ):
        if name.lower() in VARIABLES or name in CERTIFICATES:
            monkeypatch.delenv(name)


def obstacle(url: str = URL) -> Obstacle:
    """Why a request has no answer."""
    with Session("agent") as session, pytest.raises(UnansweredError) as raised:
        session.fetch("GET", url, seconds=10, most_bytes=1000)
    found = raised.value.obstacle
    assert SECRET not in found.sentence
    return found


@pytest.mark.parametrize(
    ("command", "settings", "messages"),
    [
        pytest.param(TAP, {"access_token": "token"}, (), id="tap"),
        pytest.param(
            TAP,
            {"client_id": "i", "client_secret": "s", "refresh_token": "r"},
            (),
            id="tap with OAuth",
        ),
        pytest.param(f"{TAP}-check", {"access_token": "token"}, (), id="check of the tap"),
        pytest.param(TARGET, {}, EVENT, id="target"),
        pytest.param(TARGET, {"reconcile": "report"}, EVENT, id="export"),
        pytest.param(TARGET, {}, CAMPAIGN, id="lookup table"),
        pytest.param(f"{TARGET}-check", {}, (), id="check of the target"),
        pytest.param(f"{TARGET}-taxonomy", {}, (), id="taxonomy"),
    ],
)
def test_a_proxy_that_wants_a_password_is_named_and_asked_once(
    command: str, settings: dict[str, str], messages: tuple[Any, ...], tmp_path: Path
) -> None:
    keys = {"api_key": "key", "secret_key": "secret"}
    config = settings | ({"api_url": f"https://{HOST}"} if command.startswith(TAP) else keys)
    stdin = "".join(f"{json.dumps(message)}\n" for message in messages).encode()
    with Server({"": answer(status=407)}) as proxy:
        address = f"127.0.0.1:{proxy.port}"
        variables = {"HTTPS_PROXY": f"http://{SECRET}:{SECRET}@{address}"}
        ended = run(command, folder=tmp_path, config=config, stdin=stdin, variables=variables)
    said = ended.out + ended.err
    assert f"{address} of HTTPS_PROXY answered with status 407; let HTTPS_PROXY begin" in said
    assert "Traceback" not in said
    assert SECRET not in said
    assert ended.code == 1
    # The checks of the target ask three APIs.
    assert 1 <= len(proxy.requests) <= (3 if command == f"{TARGET}-check" else 1)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"CURL_CA_BUNDLE": "/missing.pem"}, "CURL_CA_BUNDLE names /missing.pem, which does not"),
        ({"HTTPS_PROXY": "http://["}, "proxy in HTTPS_PROXY cannot be read"),
        ({"https_proxy": ":port"}, "proxy in https_proxy cannot be read"),
        ({"HTTPS_PROXY": f"http://user:{SECRET}/x@h:1"}, "with %XX for special"),
        ({"HTTPS_PROXY": f"http://user:p@{SECRET}/x@h:1"}, "with %XX for special"),
        ({"HTTPS_PROXY": f"http://user:{SECRET}%E2%82%AC@127.0.0.1:1"}, "HTTPS_PROXY cannot be"),
        ({"HTTPS_PROXY": "http://a..b:1"}, "cannot be read"),
        ({"ALL_PROXY": "ftp://127.0.0.1:1"}, "in ALL_PROXY cannot be read"),
        ({"ALL_PROXY": f"socks5://user:{SECRET}@127.0.0.1:1"}, "package PySocks is missing"),
    ],
)
def test_what_no_retry_can_help_has_an_advice(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert words in obstacle().sentence
    assert obstacle().advice


@pytest.mark.parametrize(
    ("script", "reason", "advice"),
    [
        (
            answer(status=403),
            "of HTTPS_PROXY answered with status 403",
            f"let it allow connections to {HOST}, or",
        ),
        (
            answer(status=405),
            "of HTTPS_PROXY answered with status 405",
            f"let it allow connections to {HOST}, or",
        ),
        (answer(status=502), "of HTTPS_PROXY answered with status 502", ""),
        ((b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE), "the connection was cut", ""),
        ((CLOSE,), "the connection was cut", ""),
    ],
)
def test_what_a_proxy_answers_is_said(
    script: Any, reason: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server({"": script}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
        found = obstacle()
    assert found.reason.endswith(reason)
    assert found.advice.startswith(advice)
    assert bool(found.advice) is bool(advice)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:1", "the connection was refused"),
        ("proxy.invalid:3128", "the host's name could not be resolved"),
    ],
)
def test_a_proxy_that_is_not_there_is_named(
    address: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{SECRET}:{SECRET}@{address}")
    reason = f"the proxy {address} of HTTPS_PROXY cannot be used: {why}"
    assert obstacle() == Obstacle(reason)


def test_a_companys_certificate_is_trusted_by_the_variable_that_is_named(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server({"": (CLOSE,)}, certificate) as server:
        found = obstacle(server.url)
        assert "certificate of 127.0.0.1 is not trusted (self-signed" in found.reason
        assert found.advice.endswith("let REQUESTS_CA_BUNDLE name a file with its root certificate")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert obstacle(server.url).advice.endswith("(SSL_CERT_FILE has no effect here)")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.parent))
        assert f"names {certificate.parent}: add the CA" in obstacle(server.url).advice
        # A server that closes after the handshake has been trusted.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert obstacle(server.url) == Obstacle("the connection was cut")


@pytest.mark.parametrize("content", ["", "no certificate\n", "-----BEGIN CERTIFICATE-----\nMII"])
def test_a_file_without_a_certificate_is_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bundle.pem"
    path.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with Server({"": (b"HTTP/1.1 200 OK\r\n\r\n", CLOSE)}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = obstacle()
    assert found.reason == f"REQUESTS_CA_BUNDLE names {path}, which holds no certificate"
    assert found.advice


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_what_is_for_this_machine_needs_no_proxy_and_no_certificates(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://[")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/missing.pem")
    assert proxies_and_certificates(url)["proxies"] == {}
    assert obstacle(url).advice == ""


def test_a_host_of_no_proxy_is_no_proxys_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://[")
    monkeypatch.setenv("NO_PROXY", HOST)
    error = requests.ConnectionError(urllib3.exceptions.ProtocolError("cut"))
    assert explain(error, URL) == Obstacle("the connection was cut")


@pytest.mark.parametrize("kind", FAILURES)
def test_any_failure_has_a_reason(kind: type[BaseException]) -> None:
    error = UnicodeError("x") if issubclass(kind, UnicodeError) else kind()
    assert explain(error, URL).reason
