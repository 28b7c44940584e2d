"""The client asks until there is an answer, renews tokens, and gives up with one sentence."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import requests
import requests_mock

from tap_hubspot_email_events.errors import (
    AccountError,
    DailyLimitError,
    NotFoundError,
    StoppedError,
    StreamError,
)
from tap_hubspot_email_events.hubspot import client as client_module
from tap_hubspot_email_events.hubspot.client import HubSpotClient, RequestCount
from tap_hubspot_email_events.hubspot.events import decode_page
from tap_hubspot_email_events.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "https://api.hubapi.com"
PATH = "/email/public/v1/events"
PAGE = {"events": [], "hasMore": False}
UNTRUSTED = requests.exceptions.SSLError(ssl.SSLCertVerificationError())
OAUTH: dict[str, Any] = {"client_id": "i", "client_secret": "s", "refresh_token": "first"}
TOKEN, OLDER_TOKEN = f"{API}/oauth/2026-03/token", f"{API}/oauth/v1/token"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(client_module, "LONGEST_BACKOFF", 0.002)


@pytest.fixture
def hubspot() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def asking(*, oauth: bool = False, max_retries: int = 3) -> HubSpotClient:
    credentials: dict[str, Any] = OAUTH if oauth else {"access_token": "a-secret"}
    return HubSpotClient(Settings(max_retries=max_retries, **credentials), "tests")


def ask(client: HubSpotClient, count: RequestCount | None = None) -> Any:
    return client.get(PATH, {"limit": 1}, decode_page, count or RequestCount())


def token(name: str, **more: Any) -> dict[str, Any]:
    return {"json": {"access_token": name, "expires_in": 1800, **more}}


@pytest.mark.parametrize(
    "failure",
    [
        {"status_code": 500},
        {"status_code": 502, "text": "<html>"},
        {"status_code": 530},
        {"status_code": 429, "headers": {"Retry-After": "0"}},
        {"text": "<html>"},
        *({"text": text} for text in ("", "[]", "{}", '{"events":{}}', '{"events":[{"id"')),
        {"exc": requests.ConnectTimeout},
        {"exc": requests.ReadTimeout},
        {"exc": requests.ConnectionError},
        {"exc": requests.exceptions.ChunkedEncodingError},
    ],
)
def test_temporary_failures_are_outlasted(
    hubspot: requests_mock.Mocker, failure: dict[str, Any]
) -> None:
    hubspot.get(API + PATH, [failure, failure, {"json": PAGE}])
    count = RequestCount()
    assert ask(asking(), count).events == []
    assert (count.requests, count.retried) == (3, 2)


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        ({"status_code": 500}, StreamError, "HTTP 500"),
        ({"status_code": 429, "headers": {"Retry-After": "0"}}, StreamError, "requests_per_10"),
        ({"text": "<html>"}, AccountError, "proxy"),
        ({"exc": requests.ConnectionError}, AccountError, "could not be reached"),
        ({"exc": UNTRUSTED}, AccountError, "REQUESTS_CA_BUNDLE"),
        ({"status_code": 401}, AccountError, "`access_token`"),
        ({"status_code": 403}, StreamError, "scope `content`"),
        ({"status_code": 404}, NotFoundError, "no such address"),
        (
            {"status_code": 302, "headers": {"Location": "https://x.example"}},
            StreamError,
            "redirect",
        ),
        ({"status_code": 400, "json": {"message": "bad a@b.example"}}, StreamError, "bad …"),
        ({"status_code": 429, "json": {"policyName": "DAILY"}}, DailyLimitError, ""),
    ],
)
def test_lasting_failures_end_in_one_sentence(
    hubspot: requests_mock.Mocker, failure: dict[str, Any], error: type[Exception], words: str
) -> None:
    hubspot.get(API + PATH, **failure)
    with pytest.raises(error) as caught:
        ask(asking())
    assert words in str(caught.value)
    assert "a-secret" not in str(caught.value)


def test_the_number_of_retries_is_the_setting(hubspot: requests_mock.Mocker) -> None:
    hubspot.get(API + PATH, status_code=503)
    with pytest.raises(StreamError, match="5 times"):
        ask(asking(max_retries=4))
    assert hubspot.call_count == 5


def test_a_single_401_is_asked_again(hubspot: requests_mock.Mocker) -> None:
    hubspot.get(API + PATH, [{"status_code": 401}, {"json": PAGE}])
    assert ask(asking()).events == []


def test_waiting_for_a_retry_ends_with_the_run(hubspot: requests_mock.Mocker) -> None:
    hubspot.get(API + PATH, status_code=503)
    client = asking()
    client.stop.set()
    with pytest.raises(StoppedError):
        ask(client)


def test_one_access_token_serves_until_shortly_before_its_end(
    hubspot: requests_mock.Mocker,
) -> None:
    hubspot.get(API + PATH, json=PAGE)
    hubspot.post(TOKEN, [token("one"), token("two", expires_in=0), token("three")])
    client = asking(oauth=True)
    for _ in range(3):
        ask(client)
    assert sum(request.method == "POST" for request in hubspot.request_history) == 1
    assert hubspot.request_history[-1].headers["Authorization"] == "Bearer one"


def test_a_refused_token_is_renewed_once_with_the_rotated_refresh_token(
    hubspot: requests_mock.Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    hubspot.get(API + PATH, [{"status_code": 401}, {"json": PAGE}])
    hubspot.post(TOKEN, [token("one", refresh_token="second"), token("two")])
    ask(asking(oauth=True))
    forms = [request.text for request in hubspot.request_history if request.method == "POST"]
    assert ["refresh_token=first" in form for form in forms] == [True, False]
    assert "refresh_token=second" in forms[1]
    assert "replaced the refresh token" in caplog.text
    assert "second" not in caplog.text


def test_a_token_refused_again_ends_the_run(hubspot: requests_mock.Mocker) -> None:
    hubspot.get(API + PATH, status_code=401)
    hubspot.post(TOKEN, [token("one"), token("two")])
    with pytest.raises(AccountError, match="revoked"):
        ask(asking(oauth=True))


def test_the_older_token_endpoint_serves_where_the_dated_one_is_missing(
    hubspot: requests_mock.Mocker,
) -> None:
    hubspot.get(API + PATH, json=PAGE)
    hubspot.post(TOKEN, status_code=404)
    hubspot.post(OLDER_TOKEN, **token("one"))
    assert ask(asking(oauth=True)).events == []


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_token_that_is_refused_ends_the_run(hubspot: requests_mock.Mocker, status: int) -> None:
    for path in (TOKEN, OLDER_TOKEN):
        hubspot.post(path, status_code=status, json={"status": "BAD_REFRESH_TOKEN"})
    with pytest.raises(AccountError, match=rf"HTTP {status}\); check them") as caught:
        ask(asking(oauth=True))
    assert "first" not in str(caught.value)
