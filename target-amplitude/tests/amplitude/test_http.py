"""The requests to Amplitude's APIs: when to try again, where to, whose password, what came back."""

from __future__ import annotations

import email.utils
import time
from typing import TYPE_CHECKING, Any

import pytest

from loading.loader import FAST, KEY
from loading.messages import OPEN, run_of
from target_amplitude.amplitude.export_api import PATH as EXPORT
from target_amplitude.amplitude.http import LONGEST_WAIT, Retries
from target_amplitude.amplitude.management_api import ManagementApi, find_message, host_of_region
from target_amplitude.common.session import Session
from target_amplitude.errors import RunFailedError
from target_amplitude.settings import read_settings
from target_amplitude.taxonomy.registration import HOSTS
from target_amplitude.taxonomy.registration import PATH as TAXONOMY

if TYPE_CHECKING:
    from pathlib import Path

    import requests_mock

    from loading.loader import Loader
    from sandbox.client import Sandbox

SECRET = "sandbox-secret-key"
SOON = 2.5


def refuse_until(sandbox: Sandbox, path: str, status: int) -> float:
    """Refuse one request to `path` and name a time; returns that time."""
    until = int(time.time() + SOON)
    headers = {"Retry-After": email.utils.formatdate(until, usegmt=True)}
    sandbox.add_fault(
        "amplitude", action="answer", path=path, times=1, headers=headers, status=status
    )
    return until


def test_a_management_api_is_asked_again_at_the_time_it_names(sandbox: Sandbox) -> None:
    keys = {"api_key": KEY, "secret_key": SECRET}
    settings = read_settings(keys | {"api_url": sandbox.amplitude_url})
    until = refuse_until(sandbox, TAXONOMY, status=429)
    api = ManagementApi(settings, sandbox.amplitude_url, FAST)
    reply = api.send("GET", f"{TAXONOMY}/event")
    api.close()
    assert reply is not None
    assert (reply.status, reply.requests) == (200, 2)
    # The date counts from the answer's own, which is cut off to seconds.
    assert time.time() > until - 1


@pytest.mark.parametrize(
    ("path", "settings"),
    [("/batch", {}), (EXPORT, {"secret_key": SECRET, "reconcile": "send_missing"})],
)
def test_a_run_asks_again_at_the_time_that_is_named(
    sandbox: Sandbox, loader: Loader, path: str, settings: dict[str, str]
) -> None:
    until = refuse_until(sandbox, path, status=503)
    loader.load(run_of(3), **settings)
    assert sandbox.faults_met() == 1
    assert time.time() > until - 1
    assert sandbox.amplitude_counts() == {OPEN: 3}


@pytest.mark.parametrize("asked", [LONGEST_WAIT + 1, 1e9, float("inf")])
def test_no_wait_is_longer_than_an_hour_and_a_long_one_is_said(
    asked: float, caplog: pytest.LogCaptureFixture
) -> None:
    retries = Retries("https://example.com/x", 1, FAST, lambda: True)
    assert not retries.wait("status 429", asked)
    assert caplog.messages == [
        "https://example.com/x: status 429; trying again in 3600.0 s, the longest wait."
    ]
    with pytest.raises(RunFailedError, match="no answer that counts after 1 retries"):
        retries.wait("status 429", asked)


def test_no_password_of_a_netrc_is_sent(
    requests_mock: requests_mock.Mocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine api2.amplitude.com login ada password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    url = "https://api2.amplitude.com/batch"
    requests_mock.post(url)
    with Session("target-amplitude") as session:
        session.fetch("POST", url, seconds=1, most_bytes=1)
    assert [each.headers.get("Authorization") for each in requests_mock.request_history] == [None]


@pytest.mark.parametrize(
    ("config", "host"),
    [
        ({}, "https://amplitude.com"),
        ({"region": "eu"}, "https://analytics.eu.amplitude.com"),
        ({"api_url": "https://proxy.example.com"}, "https://amplitude.com"),
        ({"api_url": "http://127.0.0.1:8702", "endpoint": "httpapi"}, "http://127.0.0.1:8702"),
    ],
)
def test_the_secret_key_goes_to_the_region_or_this_machine(
    config: dict[str, Any], host: str
) -> None:
    settings = read_settings({"api_key": "k"} | config)
    assert host_of_region(settings, HOSTS) == host


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, ""),
        ({"errors": []}, ""),
        ({"errors": ["x"]}, ""),
        ({"error": 5}, ""),
        ({"error": 5, "message": "No"}, "No"),
        ({"errors": [{"message": "No"}]}, "No"),
    ],
)
def test_an_answer_of_any_shape_has_a_message_or_none(
    content: dict[str, Any], message: str
) -> None:
    assert find_message(content) == message
