from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from loading.loader import FAST
from loading.messages import OPEN, run_of
from target_amplitude.taxonomy import command

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from loading.loader import Loader
    from sandbox.client import Sandbox

KEY, SECRET = "sandbox-api-key", "sandbox-secret-key"
PATH = "/api/2/taxonomy"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "DELAYS", FAST)
    monkeypatch.chdir(tmp_path)


def taxonomy(sandbox: Sandbox, *arguments: str, **settings: str) -> Result:
    config = {"api_key": KEY, "secret_key": SECRET, "api_url": sandbox.amplitude_url} | settings
    environment = {f"TARGET_AMPLITUDE_{name.upper()}": value for name, value in config.items()}
    result = CliRunner().invoke(command.main, arguments, env=environment)
    assert KEY not in result.output
    assert SECRET not in result.output
    return result


def lines(result: Result, kind: str) -> list[str]:
    return [line for line in result.output.splitlines() if line.startswith(kind)]


def requests(sandbox: Sandbox) -> int:
    return len([one for one in sandbox.amplitude_requests() if one["path"].startswith(PATH)])


def test_category_events_and_properties_are_registered(sandbox: Sandbox) -> None:
    result = taxonomy(sandbox)
    assert result.exit_code == 0, result.output
    plan = sandbox.taxonomy()
    assert list(plan["category"]) == ["HubSpot"]
    assert len(plan["event"]) == 10
    assert plan["event"][OPEN]["category"] == "HubSpot"
    assert "opened" in plan["event"][OPEN]["description"]
    assert plan["event-property"]["/response"]["classifications"] == "PII"
    assert plan["event-property"]["/filteredEvent"]["type"] == "boolean"
    assert plan["event-property"]["/browser.version"]["is_array_type"] == "true"
    assert all("because it can be set once" in line for line in lines(result, "display name"))


PERSON = {
    "user_property_fields": json.dumps(
        {
            "plan": "contact.plan",
            "work email": "contact.email",
            "versions": "browser.version",
            "mine": "tomorrow",
        }
    )
}


def test_user_properties_are_registered_with_what_they_are_made_of(sandbox: Sandbox) -> None:
    result = taxonomy(sandbox, **PERSON)
    plan = sandbox.taxonomy()["user-property"]
    assert list(plan) == ["gp:plan", "gp:work email", "gp:versions", "gp:mine"]
    assert plan["gp:plan"]["description"].startswith("Property plan of the contact in HubSpot")
    assert plan["gp:plan"]["type"] == "string"
    assert "classifications" not in plan["gp:plan"]
    assert plan["gp:work email"]["classifications"] == "PII"
    assert plan["gp:versions"]["is_array_type"] == "true"
    assert plan["gp:mine"]["type"] == "any"
    assert len(lines(result, "user property")) == 4


@pytest.mark.parametrize("answer", ["conflict", "success_false"])
def test_existing_entries_are_changed_only_when_asked(sandbox: Sandbox, answer: str) -> None:
    sandbox.set_amplitude(planned_again=answer)
    taxonomy(sandbox, **PERSON)
    again = taxonomy(sandbox, **PERSON)
    changed = taxonomy(sandbox, "--overwrite", **PERSON)
    for kind in ("event  ", "event property", "user property"):
        assert all("because it exists already" in line for line in lines(again, kind))
        assert all(line.endswith("updated") for line in lines(changed, kind))


def test_without_user_properties_none_is_registered(sandbox: Sandbox) -> None:
    taxonomy(sandbox, user_properties="off", **PERSON)
    assert "user-property" not in sandbox.taxonomy()


def test_display_names_follow_once_events_have_arrived(sandbox: Sandbox, loader: Loader) -> None:
    taxonomy(sandbox)
    loader.load(run_of(3))
    result = taxonomy(sandbox)
    assert result.exit_code == 0
    assert sandbox.taxonomy()["event"][OPEN]["display_name"] == "Email Opened"
    assert [line for line in lines(result, "display name") if "updated" in line]


def test_names_come_from_the_settings_of_the_target(sandbox: Sandbox) -> None:
    taxonomy(sandbox, event_type_prefix="HS ", event_types='{"OPEN": "100% opened/read"}')
    events = sandbox.taxonomy()["event"]
    assert "HS EMAIL_SENT" in events
    assert "100% opened/read" in events


@pytest.mark.parametrize(
    ("settings", "because"),
    [
        ({"secret_key": "another-secret"}, "does not know these keys"),
        ({}, "may not use the Taxonomy API"),
    ],
)
def test_denied_access_is_tried_once_and_explained(
    sandbox: Sandbox, settings: dict[str, str], because: str
) -> None:
    sandbox.set_amplitude(taxonomy=False)
    before = requests(sandbox)
    result = taxonomy(sandbox, **settings)
    assert result.exit_code == 0
    assert requests(sandbox) == before + 1
    entries = result.output.splitlines()[:-1]
    assert len(entries) > 60
    assert all("skipped, because" in line and because in line for line in entries)


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_one_refused_entry_costs_no_other(sandbox: Sandbox, status: int) -> None:
    sandbox.add_fault(
        "amplitude", action="answer", path=f"{PATH}/event", skip=1, times=1, status=status, json={}
    )
    result = taxonomy(sandbox)
    assert result.exit_code == 0
    assert len(sandbox.taxonomy()["event"]) == 9


def test_passing_failures_are_retried(sandbox: Sandbox) -> None:
    for status in (429, 503):
        sandbox.add_fault("amplitude", action="answer", path=PATH, status=status, times=2)
    for action in ("cut", "html"):
        sandbox.add_fault("amplitude", action=action, path=PATH, times=1)
    result = taxonomy(sandbox)
    assert result.exit_code == 0, result.output
    assert len(sandbox.taxonomy()["event"]) == 10


def test_without_a_secret_key_only_the_file_is_written(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "plans" / "plan.csv"
    result = taxonomy(sandbox, "--csv", str(path), secret_key="", api_key="")
    assert result.exit_code == 0, result.output
    assert "secret_key is missing" in result.output
    assert OPEN in {line["Object name"] for line in csv.DictReader(path.read_text().splitlines())}
    assert sandbox.taxonomy() == {}


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        ([], {"secret_key": ""}, "secret_key is missing"),
        ([], {"api_key": ""}, "api_key is missing"),
        (["--api-url", "http://example.com"], {}, "api_url must be"),
        (["--config", "nowhere.json"], {}, "--config"),
        ([], {"event_types": "no json"}, "event_types must be a JSON object"),
        (["--csv", "/dev/null/plan.csv"], {}, "cannot be written"),
    ],
)
def test_what_a_user_can_correct_is_one_sentence(
    sandbox: Sandbox, arguments: list[str], settings: dict[str, str], sentence: str
) -> None:
    result = taxonomy(sandbox, *arguments, **settings)
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output
