"""What `check` says of an Amplitude project, and how it ends."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
from click.testing import CliRunner

from loading.loader import FAST
from loading.messages import OPEN
from target_amplitude.check import command

if TYPE_CHECKING:
    import requests_mock
    from click.testing import Result

    from sandbox.client import Sandbox

KEY, SECRET = "sandbox-api-key", "sandbox-secret-key"
UPLOADS = {"us": "https://api2.amplitude.com/batch", "eu": "https://api.eu.amplitude.com/batch"}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(command, "DELAYS", FAST)
    monkeypatch.chdir(tmp_path)


def run(*options: str, **settings: str) -> Result:
    given = {"api_key": KEY, "secret_key": SECRET} | settings
    environment = {f"TARGET_AMPLITUDE_{name.upper()}": value for name, value in given.items()}
    result = CliRunner().invoke(command.main, options, env=environment)
    assert all(
        secret not in result.output for secret in (KEY, SECRET, settings.get("api_key", KEY))
    )
    return result


def check(**settings: str) -> dict[str, dict[str, str]]:
    """Each finding of `--json` by its name."""
    result = run("--json", **settings)
    report = json.loads(result.stdout)
    found: dict[str, dict[str, str]] = {each["name"]: each for each in report["checks"]}
    is_bad = any(each["result"] == "failed" for each in found.values())
    assert result.exit_code == (1 if is_bad else 0)
    assert report["plugin"] == "target-amplitude"
    return found


def results(found: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: each["result"] for name, each in found.items()}


def test_a_good_project_passes_and_gets_no_event(sandbox: Sandbox) -> None:
    found = check(api_url=sandbox.amplitude_url)
    assert results(found) == {
        "key and region": "ok",
        "clock": "ok",
        "secret key": "ok",
        "export": "ok",
        "taxonomy": "ok",
        "event types": "ok",
        "sizes": "unknown",
    }
    assert sandbox.amplitude_stats()["events_received"] == 0
    assert sandbox.amplitude_stats()["requests"] <= 5


@pytest.mark.parametrize("endpoint", ["batch", "httpapi"])
def test_a_wrong_key_fails(sandbox: Sandbox, endpoint: str) -> None:
    found = check(api_url=sandbox.amplitude_url, api_key="wrong-key-of-mine", endpoint=endpoint)
    assert found["key and region"]["result"] == "failed"
    assert "check api_key and region" in found["key and region"]["seen"]
    assert found["secret key"]["result"] == "failed"


def test_where_events_come_before_the_key_it_stays_open(sandbox: Sandbox) -> None:
    sandbox.set_amplitude(key_checked="after_events")
    for key in (KEY, "wrong-key-of-mine"):
        found = check(api_url=sandbox.amplitude_url, api_key=key)
        assert found["key and region"]["result"] == "unknown"


def answer(status: int = 400, **body: Any) -> dict[str, Any]:
    return {"status_code": status, "json": {"code": status} | body}


GOOD = answer(error="Request missing required field", missing_field="events")
WRONG = answer(error="Invalid API key: something")


def as_by_key(key: str, good: dict[str, Any]) -> Any:
    """An answer that takes one key alone."""

    def respond(request: Any, context: Any) -> dict[str, Any]:
        body = gzip.decompress(request.body)
        chosen = good if json.loads(body)["api_key"] == key else WRONG
        context.status_code = chosen["status_code"]
        said: dict[str, Any] = chosen["json"]
        return said

    return respond


@pytest.mark.parametrize("good", [GOOD, answer(200, events_ingested=0)])
def test_a_key_of_the_other_region_is_told_so(
    requests_mock: requests_mock.Mocker, good: dict[str, Any]
) -> None:
    requests_mock.post(UPLOADS["us"], **WRONG)
    requests_mock.post(UPLOADS["eu"], json=as_by_key("k" * 32, good))
    found = check(api_key="k" * 32, secret_key="")
    assert found["key and region"]["seen"].endswith("set region to eu")
    found = check(api_key="k" * 32, secret_key="", region="eu")
    assert found["key and region"]["result"] == "ok"
    found = check(api_key="x" * 32, secret_key="")
    assert found["key and region"]["seen"].endswith("check api_key and region")


@pytest.mark.parametrize(
    ("answered", "result"),
    [
        (answer(403, error="Forbidden"), "failed"),
        (answer(401, error="Unauthorized"), "failed"),
        (answer(500), "failed"),
        ({"status_code": 302, "headers": {"Location": "https://example.com"}}, "failed"),
        ({"status_code": 200, "text": "<html>Sign in</html>"}, "failed"),
        (answer(200, events_ingested=0), "unknown"),
        ({"exc": requests.exceptions.SSLError}, "failed"),
        ({"exc": requests.exceptions.ReadTimeout}, "failed"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_odd_answers_never_pass(
    requests_mock: requests_mock.Mocker, answered: dict[str, Any], result: str
) -> None:
    for url in UPLOADS.values():
        requests_mock.post(url, **answered)
    assert check(secret_key="")["key and region"]["result"] == result


def test_a_failure_that_passes_is_tried_again(sandbox: Sandbox) -> None:
    sandbox.add_fault("amplitude", action="answer", status=503, times=2)
    assert check(api_url=sandbox.amplitude_url)["key and region"]["result"] == "ok"


def test_without_a_secret_key_nothing_fails(sandbox: Sandbox) -> None:
    found = check(api_url=sandbox.amplitude_url, secret_key="")
    assert found["secret key"]["result"] == "unknown"
    assert "export" not in found


def test_a_wrong_secret_key_fails(sandbox: Sandbox) -> None:
    found = check(api_url=sandbox.amplitude_url, secret_key="wrong-secret")
    assert found["secret key"]["result"] == found["export"]["result"] == "failed"
    assert found["key and region"]["result"] == "ok"


def test_a_plan_without_the_taxonomy_api_passes(sandbox: Sandbox) -> None:
    sandbox.set_amplitude(taxonomy=False)
    found = check(api_url=sandbox.amplitude_url)
    assert found["taxonomy"]["result"] == "unknown"
    assert found["secret key"]["result"] == "ok"


def test_an_event_type_that_amplitude_would_drop_fails(sandbox: Sandbox) -> None:
    base = f"{sandbox.amplitude_url}/api/2/taxonomy/event"
    planned = {"event_type": OPEN}
    requests.post(base, data=planned, auth=(KEY, SECRET), timeout=10)
    found = check(api_url=sandbox.amplitude_url)
    assert found["event types"]["seen"].startswith("1 of ours")
    changed = {"is_active": "false"}
    path = f"{base}/{quote(OPEN, safe='')}"
    requests.put(path, data=changed, auth=(KEY, SECRET), timeout=10)
    found = check(api_url=sandbox.amplitude_url)
    assert found["event types"]["result"] == "failed"
    assert OPEN in found["event types"]["seen"]


@pytest.mark.parametrize(
    ("body", "name", "result"),
    [
        ("{}", "event types", "unknown"),
        ('{"data": {}}', "event types", "unknown"),
        ('{"data": [1, {"event_type": 2}]}', "event types", "ok"),
        ("[]", "taxonomy", "failed"),
        ("<html>", "taxonomy", "failed"),
    ],
)
def test_a_plan_of_another_form_is_judged(
    sandbox: Sandbox, body: str, name: str, result: str
) -> None:
    sandbox.add_fault("amplitude", action="answer", status=200, body=body, path="/api/2/taxonomy")
    assert check(api_url=sandbox.amplitude_url)[name]["result"] == result


@pytest.mark.parametrize(
    ("status", "result"), [(404, "ok"), (400, "unknown"), (403, "failed"), (500, "failed")]
)
def test_the_export_is_judged_by_an_hour_without_events(
    sandbox: Sandbox, status: int, result: str
) -> None:
    sandbox.add_fault("amplitude", action="answer", status=status, path="/api/2/export")
    found = check(api_url=sandbox.amplitude_url)
    assert found["export"]["result"] == result
    assert found["secret key"]["result"] == "ok"


@pytest.mark.parametrize(("seconds", "result"), [(600, "failed"), (-600, "failed"), (30, "ok")])
def test_a_clock_that_is_off_is_noticed(sandbox: Sandbox, seconds: float, result: str) -> None:
    sandbox.pass_time(seconds)
    assert check(api_url=sandbox.amplitude_url)["clock"]["result"] == result


def test_a_wrong_setting_is_one_sentence(sandbox: Sandbox) -> None:
    result = run(api_url=sandbox.amplitude_url, region="mars")
    assert result.exit_code == 1
    assert "region" in result.output
    assert sandbox.amplitude_stats()["requests"] == 0
