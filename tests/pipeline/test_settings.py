"""What Meltano passes on is what its user wrote, of each kind of setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from settings.channels import as_variables

if TYPE_CHECKING:
    from pipeline.project import Project
    from sandbox.client import Sandbox

TAP, TARGET = "tap-hubspot-email-events", "target-amplitude"
# A boolean, a whole number, a decimal, a choice, a list, an object, a date and a secret each.
SAMPLE = {
    TAP: {
        "enrich_campaigns": ("Y", "maybe"),
        "lookback_minutes": (" 60", "1h"),
        "contact_properties": ("firstname, lastname", "[1]"),
        "start_date": ("2026-01-01", "soon"),
        "access_token": ('"sandbox-access-token"\n', "a\nb"),
    },
    TARGET: {
        "max_rejected_percent": ("20", "a fifth"),
        "user_properties": ("Off", "whatever"),
        "event_types": ('{"OPEN": "Opened"}', "not json"),
        "user_property_fields": ("contact.firstname", '["a.x", "b.x"]'),
        "group_fields": ('{"name": "contact.firstname"}', "[]"),
        "min_id_length": ("1", "-1"),
        "gzip": ("yes", "zip"),
        "api_key": (" sandbox-api-key\n", "\u00e9"),
    },
}


@pytest.fixture(autouse=True)
def _past(sandbox: Sandbox) -> None:
    sandbox.generate(events=200, days=20)


def variables(place: int) -> dict[str, str]:
    return {
        name: value
        for plugin, settings in SAMPLE.items()
        for name, value in as_variables(
            plugin, {setting: values[place] for setting, values in settings.items()}
        ).items()
    }


def test_text_of_every_kind_is_read_as_it_was_meant(project: Project, sandbox: Sandbox) -> None:
    run = project.meltano("run", TAP, TARGET, environment=variables(0))
    assert run.returncode == 0, run.stdout
    events = sandbox.amplitude_events()
    assert events
    assert sandbox.amplitude_counts().keys() >= {"Opened"}
    assert not any("city" in event or "user_properties" in event for event in events)
    assert any("groups" in event for event in events)
    assert "Setting access_token has blanks or quotes around it" in run.stdout
    assert "Setting api_key has blanks or quotes around it" in run.stdout


@pytest.mark.parametrize("plugin", SAMPLE)
def test_each_wrong_text_is_named_in_a_sentence(
    project: Project, sandbox: Sandbox, plugin: str
) -> None:
    wrong = as_variables(plugin, {name: values[1] for name, values in SAMPLE[plugin].items()})
    if plugin == TAP:
        wrong.pop("TAP_HUBSPOT_EMAIL_EVENTS_START_DATE")
    run = project.meltano("run", TAP, TARGET, environment=wrong)
    assert run.returncode == 1
    said = " ".join(run.stdout.split())
    for name in SAMPLE[plugin].keys() - {"start_date"}:
        assert f"Setting {name} must be" in said, name
    assert sandbox.amplitude_counts() == {}


def test_empty_variables_of_a_half_filled_env_file_are_unset(
    project: Project, sandbox: Sandbox
) -> None:
    empty = {name: "" for name in variables(0) if "API_KEY" not in name and "TOKEN" not in name}
    empty |= as_variables(TARGET, dict.fromkeys(("region", "endpoint", "dry_run", "api_url"), ""))
    empty["TARGET_AMPLITUDE_API_URL"] = sandbox.amplitude_url
    lines = "".join(f"{name}={value}\n" for name, value in empty.items())
    (project.folder / ".env").write_text(lines, encoding="utf-8")
    run = project.meltano("run", TAP, TARGET)
    assert run.returncode == 0, run.stdout
    assert "Traceback" not in run.stdout
    assert sandbox.amplitude_counts()["[HubSpot] EMAIL_SENT"] > 0


def test_the_types_of_yaml_reach_the_plugins(project: Project, sandbox: Sandbox) -> None:
    path = project.folder / "meltano.yml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    kinds = {"extractors": TAP, "loaders": TARGET}
    given: dict[str, dict[str, Any]] = {
        TAP: {
            "contact_properties": ["firstname"],
            "lookback_minutes": 30,
            "enrich_campaigns": False,
        },
        TARGET: {
            "event_types": {"OPEN": "Opened"},
            "max_rejected_percent": 12.5,
            "gzip": True,
            "stream_maps": {"email_click": "__NULL__"},
            "user_property_fields": ["contact.firstname"],
            "group_fields": {"name": "contact.firstname"},
        },
    }
    for kind, plugin in kinds.items():
        next(p for p in content["plugins"][kind] if p["name"] == plugin)["config"] = given[plugin]
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    run = project.meltano("run", TAP, TARGET)
    assert run.returncode == 0, run.stdout
    counts = sandbox.amplitude_counts()
    assert counts["Opened"] > 0
    assert "[HubSpot] EMAIL_CLICK" not in counts
    events = sandbox.amplitude_events()
    assert {"firstname", "lastname"} & {
        name.partition(".")[2] for event in events for name in event["event_properties"]
    } == {"firstname"}
    names = [event["event_properties"].get("contact.firstname") for event in events]
    assert [event.get("user_properties", {}).get("firstname") for event in events] == names
    assert [event.get("groups", {}).get("name") for event in events] == names


@pytest.mark.parametrize("value", ["", "live"])
def test_no_env_file_and_no_shell_gets_into_the_environment_demo(
    project: Project, sandbox: Sandbox, value: str
) -> None:
    path = project.folder / "meltano.yml"
    text = path.read_text("utf-8")
    demo = next(each for each in yaml.safe_load(text)["environments"] if each["name"] == "demo")[
        "env"
    ]
    path.write_text(
        text.replace(demo["TAP_HUBSPOT_EMAIL_EVENTS_API_URL"], sandbox.hubspot_url).replace(
            demo["TARGET_AMPLITUDE_API_URL"], sandbox.amplitude_url
        ),
        "utf-8",
    )
    live = dict.fromkeys(demo, value) | {"TARGET_AMPLITUDE_REGION": "eu" if value else ""}
    lines = "".join(f"{name}={value}\n" for name, value in live.items())
    (project.folder / ".env").write_text(lines, encoding="utf-8")

    run = project.meltano("--environment=demo", "run", TAP, TARGET, environment=live)

    assert run.returncode == 0, run.stdout
    assert sandbox.amplitude_counts()["[HubSpot] EMAIL_SENT"] > 0
    assert {each.name for each in (project.folder / "output").iterdir()} == {"demo"}
