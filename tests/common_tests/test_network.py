"""What is wrong with this machine's proxies and certificates is said at once, in every command."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
import requests
import urllib3

from forked import Forked
from loading.messages import record, schema
from target_amplitude.common.network import FAILURES, explain, proxies_and_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "api.email-events.example"
URL = f"https://{HOST}/batch"
SECRET = "pr0xy-s3cret"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"
CAMPAIGN = {
    "type": "RECORD",
    "stream": "email_campaigns",
    "record": {"id": 1, "portalId": 4711, "name": "Newsletter", "subject": "May"},
}


class Proxy:
    """A proxy that answers every CONNECT with the same bytes."""

    def __init__(self, answer: bytes, tls: ssl.SSLContext | None = None) -> None:
        """Answer so, and with TLS speak it inside the tunnel, up to the handshake."""
        self._answer = answer
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self.asked = 0
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self.asked += 1
                connection.settimeout(5)
                try:
                    connection.recv(65_536)
                    connection.sendall(self._answer)
                    if self._tls is not None:
                        self._tls.wrap_socket(connection, server_side=True).close()
                    else:
                        connection.shutdown(socket.SHUT_WR)
                        connection.recv(65_536)
                except OSError:
                    continue

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def proxies() -> Iterator[list[Proxy]]:
    started: list[Proxy] = []
    yield started
    for proxy in started:
        proxy.close()


def environment(**variables: str) -> dict[str, str]:
    """This process's variables with these alone to say something about the network."""
    known = {name.lower() for name in (*VARIABLES, *BUNDLES)}
    kept = {name: value for name, value in os.environ.items() if name.lower() not in known}
    return kept | variables


def run(
    command: str, folder: Path, variables: dict[str, str], **settings: object
) -> tuple[int, str]:
    """Run a command of a plugin; returns its exit code and all that it wrote."""
    if command.startswith(TAP):
        config: dict[str, object] = {"access_token": "token", "api_url": f"https://{HOST}"}
    else:
        config = {
            "api_key": "key",
            "secret_key": "secret",
            "rejected_path": str(folder / "rejected.jsonl"),
            "job_log_path": str(folder / "jobs.jsonl"),
        }
    path = folder / "config.json"
    path.write_text(json.dumps(config | settings))
    stdin = "".join(f"{json.dumps(each)}\n" for each in (schema(), record(1)))
    if settings.pop("campaign", None):
        stdin = "".join(f"{json.dumps(each)}\n" for each in (schema("email_campaigns"), CAMPAIGN))
    with Forked(
        command, "--config", str(path), environment=variables, folder=folder, stdin=stdin.encode()
    ) as process:
        output, errors = process.communicate(timeout=60)
    return process.returncode, (output + errors).decode()


COMMANDS = [
    pytest.param(TAP, {}, id="tap"),
    pytest.param(
        TAP,
        {"access_token": None, "client_id": "i", "client_secret": "s", "refresh_token": "r"},
        id="tap with OAuth",
    ),
    pytest.param(f"{TAP}-check", {}, id="check of the tap"),
    pytest.param(TARGET, {}, id="target"),
    pytest.param(TARGET, {"reconcile": "report"}, id="export"),
    pytest.param(TARGET, {"campaign": True}, id="lookup table"),
    pytest.param(f"{TARGET}-check", {}, id="check of the target"),
    pytest.param(f"{TARGET}-taxonomy", {}, id="taxonomy"),
]


@pytest.mark.parametrize(("command", "settings"), COMMANDS)
def test_a_missing_file_of_certificates_is_named_at_once(
    command: str, settings: dict[str, object], tmp_path: Path
) -> None:
    started = time.monotonic()
    path = str(tmp_path / "missing.pem")
    code, said = run(command, tmp_path, environment(REQUESTS_CA_BUNDLE=path), **settings)
    assert f"REQUESTS_CA_BUNDLE names {path}, which does not exist; give it" in said
    assert "Traceback" not in said
    assert code == 1
    assert time.monotonic() - started < 30  # twelve retries take more than a minute


@pytest.mark.parametrize(("command", "settings"), COMMANDS)
def test_a_proxy_that_wants_a_password_is_named_and_asked_once(
    command: str, settings: dict[str, object], tmp_path: Path, proxies: list[Proxy]
) -> None:
    proxies.append(Proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
    (proxy,) = proxies
    variables = environment(HTTPS_PROXY=f"http://{SECRET}:{SECRET}@{proxy.address}")
    code, said = run(command, tmp_path, variables, **settings)
    assert (
        f"proxy {proxy.address} of HTTPS_PROXY answered with status 407; let HTTPS_PROXY begin"
        in said
    )
    assert "Traceback" not in said
    assert SECRET not in said
    assert code == 1
    # The checks of the target ask three APIs.
    assert 1 <= proxy.asked <= (3 if command == f"{TARGET}-check" else 1)


FINAL = [
    pytest.param({"CURL_CA_BUNDLE": "/missing.pem"}, "CURL_CA_BUNDLE names", id="missing"),
    pytest.param({"HTTPS_PROXY": "http://["}, "proxy in HTTPS_PROXY cannot be read", id="bracket"),
    pytest.param({"https_proxy": ":port"}, "proxy in https_proxy cannot be read", id="port"),
    pytest.param(
        {"HTTPS_PROXY": f"http://user:{SECRET}/x@h:1"}, "with %XX for special", id="password"
    ),
    pytest.param(
        {"HTTPS_PROXY": f"http://user:p@{SECRET}/x@h:1"}, "with %XX for special", id="halves"
    ),
    pytest.param(
        {"HTTPS_PROXY": f"http://user:{SECRET}%E2%82%AC@127.0.0.1:1"},
        "proxy in HTTPS_PROXY cannot be read",
        id="letters",
    ),
    pytest.param({"HTTPS_PROXY": "http://a..b:1"}, "cannot be read", id="host"),
    pytest.param({"ALL_PROXY": "ftp://127.0.0.1:1"}, "in ALL_PROXY cannot be read", id="scheme"),
    pytest.param(
        {"ALL_PROXY": f"socks5://user:{SECRET}@127.0.0.1:1"}, "package PySocks is", id="socks"
    ),
]


@pytest.mark.parametrize("command", [TAP, TARGET])
@pytest.mark.parametrize(("variables", "words"), FINAL)
def test_what_no_retry_can_help_ends_a_run_at_once(
    command: str, variables: dict[str, str], words: str, tmp_path: Path
) -> None:
    code, said = run(command, tmp_path, environment(**variables))
    assert words in said
    assert "again in" not in said
    assert "Traceback" not in said
    assert SECRET not in said
    assert code == 1


@pytest.mark.parametrize("command", [TAP, TARGET])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "status 403; let it allow connections to"),
        (b"HTTP/1.1 405 No\r\n\r\n", "status 405; let it allow connections to"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "status 502"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the connection was cut"),
        (b"", "the connection was cut"),
    ],
)
def test_what_a_proxy_answers_is_said(
    command: str, answer: bytes, words: str, tmp_path: Path, proxies: list[Proxy]
) -> None:
    proxies.append(Proxy(answer))
    (proxy,) = proxies
    variables = environment(HTTPS_PROXY=proxy.address)
    code, said = run(command, tmp_path, variables, max_retries=1)
    assert words in said
    assert "Traceback" not in said
    assert code == 1
    assert proxy.asked == (1 if "let it allow" in words else 2)


@pytest.mark.parametrize("command", [TAP, TARGET])
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", "the proxy 127.0.0.1:1 of HTTPS_PROXY cannot be used: the connection was"),
        ("proxy.invalid:3128", "of HTTPS_PROXY cannot be used: the host's name could not be"),
    ],
)
def test_a_proxy_that_is_not_there_is_named(
    command: str, address: str, words: str, tmp_path: Path
) -> None:
    variables = environment(HTTPS_PROXY=f"http://{SECRET}:{SECRET}@{address}")
    code, said = run(command, tmp_path, variables, max_retries=1)
    assert words in said
    assert SECRET not in said
    assert code == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of the host, with its key beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    options = (
        f"req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN={HOST} "
        f"-addext subjectAltName=DNS:{HOST}"
    )
    subprocess.run([openssl, *options.split()], cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.mark.parametrize("command", [TAP, TARGET])
@pytest.mark.parametrize(
    ("variable", "words"),
    [
        (None, "if a proxy or firewall inspects TLS, let REQUESTS_CA_BUNDLE name a file with"),
        ("SSL_CERT_FILE", "its root certificate (SSL_CERT_FILE has no effect here)."),
        ("REQUESTS_CA_BUNDLE", ""),
    ],
)
def test_a_companys_certificate_is_trusted_by_the_variable_that_is_named(  # noqa: PLR0913, PLR0917
    command: str,
    variable: str | None,
    words: str,
    certificate: Path,
    tmp_path: Path,
    proxies: list[Proxy],
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    proxies.append(Proxy(b"HTTP/1.1 200 Connection established\r\n\r\n", tls))
    (proxy,) = proxies
    variables = environment(HTTPS_PROXY=f"http://{proxy.address}")
    if variable is not None:
        variables[variable] = str(certificate)
    api_url = f"https://{HOST}"
    code, said = run(command, tmp_path, variables, max_retries=1, api_url=api_url)
    assert code == 1
    assert words in said
    # A server that closes after the handshake has been trusted.
    is_trusted = variable == "REQUESTS_CA_BUNDLE"
    assert ("the connection was cut" in said) == is_trusted
    assert (f"The TLS certificate of {HOST} is not trusted (self-signed" in said) != is_trusted
    assert proxy.asked == (2 if is_trusted else 1)


@pytest.mark.parametrize("content", ["", "no certificate\n", "-----BEGIN CERTIFICATE-----\nMII"])
@pytest.mark.parametrize("command", [TAP, TARGET])
def test_a_file_without_a_certificate_is_named(
    command: str, content: str, tmp_path: Path, proxies: list[Proxy]
) -> None:
    proxies.append(Proxy(b"HTTP/1.1 200 OK\r\n\r\n"))
    path = tmp_path / "bundle.pem"
    path.write_text(content)
    variables = environment(HTTPS_PROXY=proxies[0].address, REQUESTS_CA_BUNDLE=str(path))
    code, said = run(command, tmp_path, variables)
    assert f"REQUESTS_CA_BUNDLE names {path}, which holds no certificate; give it" in said
    assert (code, proxies[0].asked) == (1, 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"])
def test_what_is_for_this_machine_goes_through_no_proxy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", environment(ALL_PROXY="proxy:1", HTTP_PROXY="proxy:1"))
    assert proxies_and_certificates(url)["proxies"] == {}


def test_a_host_of_no_proxy_is_no_proxys_failure() -> None:
    error = requests.ConnectionError(urllib3.exceptions.ProtocolError("cut"))
    variables = {"HTTPS_PROXY": "http://[", "NO_PROXY": HOST}
    assert explain(error, URL, variables).reason == "the connection was cut"
    assert not explain(error, URL, variables).advice


@pytest.mark.parametrize("kind", FAILURES)
def test_any_failure_has_a_reason(kind: type[BaseException]) -> None:
    error = UnicodeError("x") if issubclass(kind, UnicodeError) else kind()
    assert explain(error, URL, {}).reason
